//! Types for BPF in a module, which are additions to the kernel's.

use std::borrow::Cow;

use base::message::text;

use crate::btf::{self, Rules};
use crate::finding::{Errno, Finding, Log, Step};
use crate::image::Image;
use crate::target::Target;
use crate::view::Native;

/// A module's types, and what has to be known of it to check them: that is the last
/// check, and the kernel's own types may not have been read yet.
pub(crate) struct Additions<'a> {
    types: Cow<'a, [u8]>,
    base: Option<Cow<'a, [u8]>>,
    native: Native,
    module: Vec<u8>,
    log: Log,
}

impl<'a> Additions<'a> {
    /// Those of a module, if the kernel looks at them.
    pub(crate) fn of(image: &Image<'a>, target: &Target, log: &Log) -> Option<Self> {
        if !target.has("DEBUG_INFO_BTF_MODULES") {
            return None;
        }
        let types = image.any_section(b".BTF").filter(|types| !types.is_empty())?.into();
        let base = image.any_section(b".BTF.base").map(Cow::from);
        Some(Self { types, base, native: image.native(), module: image.name.clone(), log: log.later() })
    }

    /// The same, in memory of its own.
    pub(crate) fn into_owned(self) -> Additions<'static> {
        let own = |bytes: Cow<[u8]>| Cow::Owned(bytes.into_owned());
        Additions { types: own(self.types), base: self.base.map(own), ..self }
    }

    /// What is found in them.
    pub(crate) fn check(&self, target: &Target) -> Vec<Finding> {
        let mut log = self.log.clone();
        let is_lenient = target.has("MODULE_ALLOW_BTF_MISMATCH");
        let Some(kernel) = target.btf() else {
            if !is_lenient {
                let what = "the kernel's types for BPF (BTF) aren't known, with which the module's have to go";
                log.unknown(Step::Btf, what);
            }
            return log.findings();
        };
        let rules = Rules { native: self.native, dialect: &target.dialect, is_lenient };
        let Err(invalid) = btf::check(&self.types, self.base.as_deref(), &kernel, rules) else { return Vec::new() };
        let meaning = "its types for BPF (BTF) don't go with the kernel's";
        for line in invalid.lines {
            log.logged(Step::Btf, line, meaning);
        }
        if is_lenient {
            let line = b"Kernel module BTF mismatch detected, BTF debug info may be unavailable for some modules";
            log.logged(Step::Btf, line.to_vec(), meaning);
        } else {
            let Errno(number) = invalid.errno;
            let line = text!("failed to validate module [{}] BTF: -{}", self.module, number.to_string());
            log.refused(Step::Btf, invalid.errno, Some(line), meaning);
        }
        log.findings()
    }
}
