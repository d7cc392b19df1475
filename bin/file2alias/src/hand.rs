//! Handing devices over, and giving them back.

use std::cell::OnceCell;

use base::json;
use base::message::{Fatal, Kind, text};
use clap::ArgMatches;
use cli::Streams;
use kmod::handover::{self, Obstacle, Step};
use kmod::in_use::{Usage, Use};
use kmod::vfio::Device;

use crate::devices;
use crate::find::{root, sysfs};

/// The words for a use of a disk.
fn used(by: &Use) -> Vec<u8> {
    match by {
        Use::Mount(place) => text!("the file system mounted on {} is on it", place),
        Use::Swap(device) => text!("the swap space {} is on it", device),
        Use::Part(device) => text!("a part of {} is on it", device),
    }
}

/// The words for the first of several reasons.
fn first(mut reasons: Vec<Vec<u8>>) -> Vec<u8> {
    let others = reasons.drain(1.min(reasons.len())..).count();
    let first = reasons.pop().unwrap_or_default();
    if others == 0 { first } else { text!("{}, and {} more", first, others.to_string()) }
}

/// The words for a reason not to hand a device over.
fn explained(obstacle: &Obstacle, group: Option<u32>) -> Vec<u8> {
    match obstacle {
        Obstacle::NoGroup => text!("is in no IOMMU group: the machine has no IOMMU, or it is off"),
        Obstacle::Others(others) => {
            let group = group.unwrap_or_default();
            text!("IOMMU group {} is handed over as a whole: name {}, too", group.to_string(), others.join(" and "))
        }
        Obstacle::InUse(uses) => first(uses.iter().map(used).collect()),
        Obstacle::Unknown(reasons) => text!("cannot tell whether it is in use: {}", first(reasons.clone())),
        Obstacle::OnlyDisplay => text!("the machine has no other display"),
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
    let usage = OnceCell::new();
    let mut refuse = |address: &str, what: &[u8]| {
        streams.say(&Fatal::refusal(Kind::USAGE, text!("{}: {}\n", address, what)).message, b"");
        may_be = false;
    };
    for address in &named {
        let Some(device) = all.iter().find(|device| device.address == *address) else {
            refuse(address, b"no such PCI device");
            continue;
        };
        if matches.get_flag("unbind") || matches.get_flag("force") {
            continue;
        }
        for obstacle in handover::obstacles(device, &all, &named, usage.get_or_init(|| Usage::of(root(matches), sysfs)))
        {
            refuse(address, &text!("{} (--force goes on)", explained(&obstacle, device.iommu_group)));
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
