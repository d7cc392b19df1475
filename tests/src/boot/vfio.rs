//! A network card that is handed over to a virtual machine: the story that VFIO's
//! aliases are for, on a real kernel.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::machine::Machine;
use super::{Files, needed, outside};
use crate::corpus::bytes_of;
use crate::original;
use crate::tally::Finding;

/// The machine has an IOMMU and an Intel 82574L.
const DEVICES: &[&str] = &["-M", "q35,kernel-irqchip=split", "-device", "intel-iommu", "-device", "e1000e"];

/// A driver for the card, and what VFIO has.
const MODULES: &[&str] =
    &["drivers/net/ethernet/intel/e1000e/e1000e", "drivers/vfio/pci/vfio-pci", "drivers/vfio/vfio_iommu_type1"];

/// The directory of a driver's sources.
const VARIANT: &str = "variant";

/// Loads what claims the card, as a coldplug does; then does what file2alias says.
const SCRIPT: &str = r#"
release=$(uname -r)
/bin/depmod "$release" 2>/dev/null
for device in /sys/bus/pci/devices/*; do
	case $(cat "$device/modalias") in
	pci:v00008086d000010D3*) break ;;
	esac
done
driver() { basename "$(readlink "$device/driver")" || echo none; }
/bin/modprobe "$(cat "$device/modalias")"
echo "@coldplug $(driver)"
echo "@loaded $(lsmod | sed 's/ .*//' | grep -c '^vfio')"
/bin/file2alias vfio --script "${device##*/}" >/hand-over
echo "@script $?"
sh /hand-over
echo "@status $?"
echo "@driver $(driver)"
"#;

/// A driver of VFIO's for this card alone.
///
/// # Errors
/// If it doesn't build.
pub(super) fn variant(tree: &Path, arguments: &[String]) -> io::Result<Vec<u8>> {
    let built = outside(tree, arguments, VARIANT)?;
    fs::read(built.path().join(format!("{VARIANT}_vfio_pci.ko")))
}

/// Boots the machine, and says what became of the card. A kernel that `has_aliases` for
/// VFIO has them since 5.15; before, file2alias finds none, and says so. A `variant` is
/// what it should choose.
///
/// # Errors
/// If something can't be had, run or read.
pub(super) fn compare(files: &Files, has_aliases: bool, variant: Option<Vec<u8>>) -> io::Result<Vec<Finding>> {
    let mut paths: Vec<String> = Vec::new();
    for module in MODULES {
        needed(module, files, &mut paths)?;
        paths.push((*module).to_owned());
    }
    let place = PathBuf::from("lib/modules").join(&files.release);
    let mut contents = Vec::new();
    for path in &paths {
        let Some(file) = files.modules.get(path) else { continue };
        let module = bytes_of(file)?;
        contents.push((place.join("kernel").join(format!("{path}.ko")), module));
    }
    let is_variant = variant.is_some();
    contents.extend(variant.map(|module| (place.join("updates").join(format!("{VARIANT}.ko")), module)));
    for name in ["modules.order", "modules.builtin"] {
        contents.push((place.join(name), Vec::new()));
    }
    let file2alias = original::ours("file2alias")?.program;
    let written = Machine::new(SCRIPT, &contents, &[file2alias])?.boot(&files.image, "intel_iommu=on", DEVICES)?;
    let said = |word: &str| {
        let line = written.lines().find_map(|line| line.strip_prefix(&format!("@{word} ")));
        line.unwrap_or("nothing").to_owned()
    };
    let name = if is_variant { "VFIO, with a variant" } else { "VFIO" };
    let finding = |what: &str, word: &str, expected: &str| {
        let is = said(word);
        let report = if is == expected { String::new() } else { format!("  it is {is}, not {expected}\n{written}\n") };
        (format!("{name}: {what}"), report)
    };
    let (status, driver) = match (has_aliases, is_variant) {
        (true, true) => ("0", "variant-vfio-pci"),
        (true, false) => ("0", "vfio-pci"),
        (false, _) => ("1", "e1000e"),
    };
    Ok(vec![
        finding("a coldplug's driver", "coldplug", "e1000e"),
        finding("its modules after a coldplug", "loaded", "0"),
        finding("file2alias's status", "script", status),
        finding("the script's status", "status", "0"),
        finding("the driver after the script", "driver", driver),
    ])
}
