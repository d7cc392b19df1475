//! Handing devices over, and giving them back.

use std::io::Write;

use base::message::{Fatal, Kind, text};
use clap::ArgMatches;
use kmod::handover::{self, Obstacle, Step};
use kmod::vfio::Device;

use crate::find::{root, sysfs};
use crate::{devices, put, say};

/// What speaks against it, for people.
fn explained(obstacle: &Obstacle, group: Option<u32>) -> String {
    match obstacle {
        Obstacle::NoGroup => "is in no IOMMU group: the machine has no IOMMU, or it is off".to_owned(),
        Obstacle::Others(others) => {
            let group = group.unwrap_or_default();
            format!("IOMMU group {group} is handed over as a whole: name {}, too", others.join(" and "))
        }
        Obstacle::RootDisk => "the root file system is on it".to_owned(),
        Obstacle::OnlyDisplay => "the machine has no other display".to_owned(),
    }
}

/// Whether devices are there, and nothing speaks against handing them over. Says what does.
pub(crate) fn may_be_handed_over(matches: &ArgMatches, devices: &[Device], err: &mut dyn Write) -> Result<bool, Fatal> {
    let sysfs = sysfs(matches);
    let all = devices::all(sysfs)?;
    let named: Vec<&str> = devices.iter().filter_map(Device::address).collect();
    let mut may_be = true;
    let mut refuse = |address: &str, what: &str| {
        say(&Fatal::refusal(Kind::USAGE, text!("{}: {}\n", address, what)), err);
        may_be = false;
    };
    for address in &named {
        let Some(device) = all.iter().find(|device| device.address == *address) else {
            refuse(address, "no such PCI device");
            continue;
        };
        if matches.get_flag("unbind") || matches.get_flag("force") {
            continue;
        }
        for obstacle in handover::obstacles(device, &all, &named, root(matches), sysfs) {
            refuse(address, &format!("{} (--force goes on)", explained(&obstacle, device.iommu_group)));
        }
    }
    Ok(may_be)
}

/// Shows each step, and takes it unless it is only to be shown.
pub(crate) fn take(
    matches: &ArgMatches,
    steps: Vec<Step>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, Fatal> {
    for step in steps {
        put(out, &step.command())?;
        if matches.get_flag("dry-run") {
            continue;
        }
        out.flush().map_err(|error| Fatal::perror(b"standard output", error))?;
        if let Err(error) = step.take() {
            say(&Fatal::perror(step.name(), error), err);
            return Ok(false);
        }
    }
    Ok(true)
}
