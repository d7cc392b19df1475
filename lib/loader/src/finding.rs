//! What is found in a module, and the verdict.

use base::message::text;

/// What helps against a module of another build.
const REBUILD: &[u8] = b"rebuild it against this kernel's headers";

/// The bit of a kernel that has taken a module nevertheless.
const FORCED: u64 = 1 << 1;

/// Why a kernel refuses a module: the number of an error, as in `errno.h`, positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// A symbol isn't there.
    pub const ENOENT: Self = Self(2);
    /// The module is none of this kernel's.
    pub const ENOEXEC: Self = Self(8);
    /// A symbol is another than the module was built with, or isn't for it.
    pub const EINVAL: Self = Self(22);
    /// It is not allowed.
    pub const EPERM: Self = Self(1);
    /// A structure is larger than it may be.
    pub const E2BIG: Self = Self(7);
    /// Types are chained without end.
    pub const ELOOP: Self = Self(40);
    /// The kernel doesn't know how; this number never leaves it otherwise.
    pub const ENOTSUPP: Self = Self(524);
    /// A signature is malformed.
    pub const EBADMSG: Self = Self(74);
    /// There must be a signature that the kernel can check.
    pub const EKEYREJECTED: Self = Self(129);

    /// The error in words, as insmod(8) prints it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::ENOENT => "Unknown symbol in module".to_owned(),
            Self::ENOEXEC => "Invalid module format".to_owned(),
            Self::EINVAL => "Invalid parameters".to_owned(),
            Self(number) => base::message::strerror(&std::io::Error::from_raw_os_error(number)),
        }
    }
}

/// A check, in the order of a kernel since 6.4. Older ones taint themselves before
/// some of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The signature.
    Signature,
    /// The ELF header and the sections.
    Form,
    /// The size of the kernel's own structure in the module.
    ModuleSize,
    /// The version of the structures that both share, which is that of `module_layout`.
    Layout,
    /// The version magic.
    Vermagic,
    /// Whether a live patch can be applied.
    Livepatch,
    /// Sections that are both writable and executable.
    Permissions,
    /// What taints the kernel.
    Taints,
    /// Whether exports have what they must have.
    Exports,
    /// Symbols that are imported.
    Symbols,
    /// Symbols that are exported, and that something else exports, too.
    Duplicates,
    /// Types for BPF.
    Btf,
    /// Modules that have to be loaded before.
    Dependencies,
}

impl Step {
    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Form => "elf",
            Self::ModuleSize => "module-size",
            Self::Layout => "module-layout",
            Self::Vermagic => "vermagic",
            Self::Livepatch => "livepatch",
            Self::Permissions => "permissions",
            Self::Taints => "taint",
            Self::Exports => "exports",
            Self::Symbols => "symbol",
            Self::Duplicates => "duplicate-export",
            Self::Btf => "btf",
            Self::Dependencies => "dependency",
        }
    }
}

/// What a kernel does about what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It refuses the module.
    Refused(Errno),
    /// It logs something and goes on.
    Logged,
    /// It isn't known: something that decides couldn't be had.
    Unknown,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub step: Step,
    /// What the kernel does.
    pub effect: Effect,
    /// The symbol that it is about.
    pub symbol: Option<Vec<u8>>,
    /// The line that it logs, without its time and newline, if it logs one.
    pub line: Option<Vec<u8>>,
    /// What that means.
    pub meaning: Vec<u8>,
    /// What to do.
    pub advice: Option<Vec<u8>>,
}

/// Whether a kernel would load a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would.
    Loads,
    /// It would not: the error that it returns.
    Refused(Errno),
    /// That can't be told.
    Unknown,
}

/// The verdict that follows from findings in the kernel's order, which ends at the first
/// check that refuses. Of several symbols that are refused, the last one's error is
/// returned.
#[must_use]
pub fn verdict(findings: &[Finding]) -> Verdict {
    let refused = |finding: &Finding| match finding.effect {
        Effect::Refused(errno) => Some((finding.step, errno)),
        _ => None,
    };
    let first = findings.iter().find_map(refused);
    // Whatever else isn't known, a module that is refused is refused.
    let Some((step, _)) = first else {
        let is_unknown = findings.iter().any(|finding| finding.effect == Effect::Unknown);
        return if is_unknown { Verdict::Unknown } else { Verdict::Loads };
    };
    let last = findings.iter().filter_map(refused).rfind(|(of, _)| *of == step);
    last.map_or(Verdict::Unknown, |(_, errno)| Verdict::Refused(errno))
}

/// What is found on the way.
#[derive(Clone)]
pub(crate) struct Log {
    findings: Vec<Finding>,
    /// What to do about what comes from another build.
    rebuild: Vec<u8>,
    /// What has tainted the kernel so far: bits.
    tainted: u64,
    /// The first check that refuses, which is the kernel's last.
    last: Option<Step>,
    /// The symbol that is being looked at.
    symbol: Option<Vec<u8>>,
}

impl Log {
    /// Of a kernel that is tainted already.
    pub(crate) fn new(tainted: u64) -> Self {
        Self { findings: Vec::new(), rebuild: REBUILD.to_vec(), tainted, last: None, symbol: None }
    }

    /// Taints the kernel; returns whether that is new.
    pub(crate) fn taints(&mut self, bit: u64) -> bool {
        let is_new = self.tainted & bit == 0;
        if self.last.is_none() {
            self.tainted |= bit;
        }
        is_new
    }

    /// What follows is about a symbol.
    pub(crate) fn about(&mut self, symbol: &[u8]) {
        self.symbol = Some(symbol.to_vec());
    }

    /// One for what is found later, and about no symbol.
    pub(crate) fn later(&self) -> Self {
        let (rebuild, tainted, last) = (self.rebuild.clone(), self.tainted, self.last);
        Self { findings: Vec::new(), rebuild, tainted, last, symbol: None }
    }

    fn push(&mut self, finding: Finding) {
        self.findings.push(Finding { symbol: self.symbol.clone(), ..finding });
    }

    /// The module was built for a kernel of this release.
    pub(crate) fn built_for(&mut self, release: &[u8]) {
        self.rebuild = text!("built for {}: {}", release, REBUILD);
    }

    /// Adds what was found elsewhere.
    pub(crate) fn extend(&mut self, findings: Vec<Finding>) {
        self.last = self.last.or(findings.first().map(|finding| finding.step));
        self.findings.extend(findings);
    }

    /// All that was found.
    pub(crate) fn findings(self) -> Vec<Finding> {
        self.findings
    }

    /// The kernel refuses the module, with or without a line.
    pub(crate) fn refused(&mut self, step: Step, errno: Errno, line: Option<Vec<u8>>, meaning: impl Into<Vec<u8>>) {
        self.last.get_or_insert(step);
        let is_of_build = matches!(step, Step::Layout | Step::Vermagic | Step::ModuleSize | Step::Symbols | Step::Btf);
        let advice = is_of_build.then(|| self.rebuild.clone());
        let (effect, meaning) = (Effect::Refused(errno), meaning.into());
        self.push(Finding { step, effect, symbol: None, line, meaning, advice });
    }

    /// The kernel logs a line and goes on, unless it has refused the module before.
    pub(crate) fn logged(&mut self, step: Step, line: Vec<u8>, meaning: impl Into<Vec<u8>>) {
        if self.last.is_some_and(|last| last != step) {
            return;
        }
        let (effect, line, meaning) = (Effect::Logged, Some(line), meaning.into());
        self.push(Finding { step, effect, symbol: None, line, meaning, advice: None });
    }

    /// The kernel takes the module nevertheless (`try_to_force_load()`).
    pub(crate) fn forced(&mut self, step: Step, module: &[u8], reason: &[u8], meaning: &str) {
        if self.taints(FORCED) {
            self.logged(step, text!("{}: {}: kernel tainted.", module, reason), meaning);
        }
    }

    /// Something that decides isn't known.
    pub(crate) fn unknown(&mut self, step: Step, meaning: impl Into<Vec<u8>>) {
        let (effect, meaning) = (Effect::Unknown, meaning.into());
        self.push(Finding { step, effect, symbol: None, line: None, meaning, advice: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(step: Step, effect: Effect) -> Finding {
        Finding { step, effect, symbol: None, line: None, meaning: Vec::new(), advice: None }
    }

    #[test]
    fn the_first_check_that_refuses_decides() {
        let refused = |step, errno| finding(step, Effect::Refused(errno));
        assert_eq!(verdict(&[]), Verdict::Loads);
        let logged = finding(Step::Taints, Effect::Logged);
        assert_eq!(verdict(std::slice::from_ref(&logged)), Verdict::Loads);
        let unknown = finding(Step::Vermagic, Effect::Unknown);
        assert_eq!(verdict(&[logged, unknown.clone()]), Verdict::Unknown);
        let symbols = [refused(Step::Symbols, Errno::EINVAL), refused(Step::Symbols, Errno::ENOENT)];
        assert_eq!(verdict(&symbols), Verdict::Refused(Errno::ENOENT));
        let layout = refused(Step::Layout, Errno::ENOEXEC);
        assert_eq!(verdict(&[&[unknown, layout][..], &symbols].concat()), Verdict::Refused(Errno::ENOEXEC));
    }

    #[test]
    fn what_follows_a_refusal_is_not_logged() {
        let mut log = Log::new(0);
        log.forced(Step::Layout, b"m", b"f", "");
        log.forced(Step::Symbols, b"m", b"g", "");
        log.refused(Step::Symbols, Errno::ENOENT, None, "");
        log.logged(Step::Symbols, b"last".to_vec(), "");
        log.logged(Step::Btf, b"never".to_vec(), "");
        let lines: Vec<_> = log.findings().into_iter().filter_map(|finding| finding.line).collect();
        assert_eq!(lines, [&b"m: f: kernel tainted."[..], b"last"]);
    }
}
