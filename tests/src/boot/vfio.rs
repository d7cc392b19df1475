//! A network card that is handed over to a virtual machine: the story that VFIO's
//! aliases are for, on a real kernel.

use std::io;
use std::path::PathBuf;

use super::machine::Machine;
use super::{Files, needed};
use crate::original;
use crate::tally::Finding;

/// The machine has an IOMMU and an Intel 82574L.
const DEVICES: &[&str] = &["-M", "q35,kernel-irqchip=split", "-device", "intel-iommu", "-device", "e1000e"];

/// A driver for the card, and what VFIO has.
const MODULES: &[&str] =
    &["drivers/net/ethernet/intel/e1000e/e1000e", "drivers/vfio/pci/vfio-pci", "drivers/vfio/vfio_iommu_type1"];

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

/// Boots the machine, and says what became of the card. A kernel that `has_aliases` for
/// VFIO has them since 5.15; before, file2alias finds none, and says so.
///
/// # Errors
/// If something can't be had, run or read.
pub(super) fn compare(files: &Files, has_aliases: bool) -> io::Result<Vec<Finding>> {
    let mut paths: Vec<String> = Vec::new();
    for module in MODULES {
        needed(module, files, &mut paths)?;
        paths.push((*module).to_owned());
    }
    let place = PathBuf::from("lib/modules").join(&files.release);
    let mut contents = Vec::new();
    for path in &paths {
        let Some(file) = files.modules.get(path) else { continue };
        let module = loader::place::module(file).map_err(io::Error::other)?;
        contents.push((place.join("kernel").join(format!("{path}.ko")), module));
    }
    for name in ["modules.order", "modules.builtin"] {
        contents.push((place.join(name), Vec::new()));
    }
    let file2alias = original::ours("file2alias")?.program;
    let written = Machine::new(SCRIPT, &contents, &[file2alias])?.boot(&files.image, "intel_iommu=on", DEVICES)?;
    let said = |word: &str| {
        let line = written.lines().find_map(|line| line.strip_prefix(&format!("@{word} ")));
        line.unwrap_or("nothing").to_owned()
    };
    let finding = |what: &str, word: &str, expected: &str| {
        let is = said(word);
        let report = if is == expected { String::new() } else { format!("  it is {is}, not {expected}\n{written}\n") };
        (what.to_owned(), report)
    };
    let (status, driver) = if has_aliases { ("0", "vfio-pci") } else { ("1", "e1000e") };
    Ok(vec![
        finding("VFIO: a coldplug's driver", "coldplug", "e1000e"),
        finding("VFIO: its modules after a coldplug", "loaded", "0"),
        finding("VFIO: file2alias's status", "script", status),
        finding("VFIO: the script's status", "status", "0"),
        finding("VFIO: the driver after the script", "driver", driver),
    ])
}
