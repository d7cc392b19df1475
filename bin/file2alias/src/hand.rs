//! Handing devices over, and giving them back.

use base::json;
use base::message::{Fatal, Kind, text};
use clap::ArgMatches;
use cli::Streams;
use kmod::handover::{self, Obstacle, Step};
use kmod::vfio::Device;

use crate::devices;
use crate::find::{root, sysfs};

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
pub(crate) fn may_be_handed_over(
    matches: &ArgMatches,
    devices: &[Device],
    streams: &mut Streams<'_>,
) -> Result<bool, Fatal> {
    let sysfs = sysfs(matches);
    let all = devices::all(sysfs)?;
    let named: Vec<&str> = devices.iter().filter_map(Device::address).collect();
    let mut may_be = true;
    let mut refuse = |address: &str, what: &str| {
        streams.say(&Fatal::refusal(Kind::USAGE, text!("{}: {}\n", address, what)).message, b"");
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

/// Shows a step.
pub(crate) fn show(matches: &ArgMatches, step: &Step, streams: &mut Streams<'_>) -> Result<(), Fatal> {
    let command = step.command();
    if matches.get_flag("json") {
        let command = json::text(command.trim_ascii_end());
        return streams.put(&json::line(&serde_json::json!({ "command": command })));
    }
    streams.put_lines(&command)
}

/// Shows each step, and takes it unless it is only to be shown.
pub(crate) fn take(matches: &ArgMatches, steps: Vec<Step>, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    for step in steps {
        show(matches, &step, streams)?;
        if matches.get_flag("dry-run") {
            continue;
        }
        streams.flush()?;
        if let Err(error) = step.take() {
            streams.say(&Fatal::perror(step.name(), error).message, b"");
            return Ok(false);
        }
    }
    Ok(true)
}
