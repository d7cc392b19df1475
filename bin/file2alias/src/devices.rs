//! The machine's PCI devices, and who would hand each over to a virtual machine.

use std::path::Path;

use base::escape::escape;
use base::json;
use base::message::Fatal;
use clap::ArgMatches;
use cli::{Streams, Style};
use kmod::alias::{self, Alias};
use kmod::pci::{self, Classes, Device};
use kmod::vfio;

use crate::find::{Tree, aliases_of, root, sysfs};
use crate::print::failed;

/// What is not there, in a table.
const NOTHING: &[u8] = b"-";

/// A device, the alias by which a driver would hand it over best, and its class's name.
type Row<'a> = (Device, Option<&'a Alias>, Vec<u8>);

/// The columns of a table, each as wide as its widest cell.
fn table(rows: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| String::from_utf8_lossy(&row[column]).chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = Vec::new();
    for row in rows {
        let mut line = Vec::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.extend_from_slice(cell);
            let length = String::from_utf8_lossy(cell).chars().count();
            line.resize(line.len() + (width - length) + 2, b' ');
        }
        text.extend_from_slice(line.trim_ascii_end());
        text.push(b'\n');
    }
    text
}

fn cells((device, found, class): &Row<'_>) -> Vec<Vec<u8>> {
    let group = device.iommu_group.map(|group| group.to_string().into_bytes());
    let or_nothing = |cell: Option<Vec<u8>>| cell.unwrap_or_else(|| NOTHING.to_vec());
    let cells = [
        device.address.clone().into_bytes(),
        or_nothing(group),
        or_nothing(device.driver.clone()),
        or_nothing(found.map(|alias| alias.module.clone())),
        class.clone(),
    ];
    cells.iter().map(|cell| escape(cell).into_owned()).collect()
}

fn object((device, found, class): &Row<'_>) -> Vec<u8> {
    json::line(&serde_json::json!({
        "device": device.address,
        "modalias": json::text(&device.modalias),
        "class": format!("{:06x}", device.class),
        "class_name": json::text(class),
        "iommu_group": device.iommu_group,
        "driver": json::optional(device.driver.as_deref()),
        "module": json::optional(found.map(|alias| &alias.module[..])),
        "pattern": json::optional(found.map(|alias| &alias.pattern[..])),
    }))
}

/// All devices of a sysfs.
pub(crate) fn all(sysfs: &Path) -> Result<Vec<Device>, Fatal> {
    pci::devices(sysfs).map_err(|error| failed(&sysfs.join("bus/pci/devices"), error))
}

/// Lists all devices.
pub(crate) fn list(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    let devices = all(sysfs(matches))?;
    let mut aliases = aliases_of(matches, &Tree::of(matches, streams))?;
    aliases.retain(|alias| alias.pattern.starts_with(vfio::PREFIX));
    let classes = Classes::of(root(matches));
    let row = |device: Device| {
        let found = alias::matching(&aliases, &vfio::prefixed(&device.modalias)).first().copied();
        let class = classes.name(device.class).map(<[u8]>::to_vec);
        let class = class.unwrap_or_else(|| format!("class {:06x}", device.class).into_bytes());
        (device, found, class)
    };
    let rows: Vec<Row<'_>> = devices.into_iter().map(row).collect();
    if matches.get_flag("json") {
        rows.iter().try_for_each(|row| streams.put(&object(row)))?;
        return Ok(true);
    }
    let heads = ["ADDRESS", "GROUP", "DRIVER", "VFIO", "CLASS"].map(|head| head.as_bytes().to_vec()).to_vec();
    let lines: Vec<_> = std::iter::once(heads).chain(rows.iter().map(cells)).collect();
    let text = table(&lines);
    let (heading, devices) = text.split_at(memchr::memchr(b'\n', &text).unwrap_or(text.len()));
    let heading = streams.styled(Style::Heading, heading);
    streams.put(&heading)?;
    streams.put(devices)?;
    Ok(true)
}
