//! mk_elfconfig, which tells the C build its target and is the same in every kernel.

use std::fs;
use std::io;

use kernel::Flags;

use super::original::Original;
use super::{How, Judged, Request, at, our_program};
use crate::compare;
use crate::error::Error;
use crate::recording::{self, pack::Pack};
use crate::run::{self, Call};
use crate::subject::{Subject, TARGETS};
use crate::texts::Finding;

/// What mk_elfconfig writes in any kernel.
const TEXT: &[u8] = b"KERNEL_ELFCLASS";

/// Judges it by an object of each target.
pub(super) fn judge<D: Flags>(
    original: &Original,
    dialect: &D,
    request: &Request,
    pack: Option<&Pack>,
) -> Result<Judged, Error> {
    let judged = |how| Judged { name: original.name.to_owned(), digest: Some(original.digest()), how };
    let (None, Some(pack)) = (&original.unable, pack) else {
        if memchr::memmem::find(&original.bytes, TEXT).is_none() {
            let findings = vec![Finding::Missing("KERNEL_ELFCLASS")];
            return Err(Error::Texts {
                name: original.name.to_owned(),
                kernel: dialect.kernel().name.clone(),
                findings,
            });
        }
        return Ok(judged(How::Read(original.unable.clone().unwrap_or_default())));
    };
    let place = at(&original.path, run::place())?;
    let ours = at(&request.ours, our_program(request, dialect, place.path(), "mk_elfconfig"))?;
    let objects = at(&request.cases, objects(pack))?;
    for (number, object) in objects.iter().enumerate() {
        let call = Call { stdin: object.clone(), ..Call::default() };
        let outcome = |subject: &Subject, who: &str| {
            let dir = place.path().join(format!("{who}-{number}"));
            fs::create_dir(&dir)?;
            run::observe(subject, &dir, &dialect.kernel().version.to_string(), &call)
        };
        let theirs = at(&original.path, outcome(&Subject::new(&original.path), "theirs"))?;
        let report = compare::differences(&theirs, &at(&request.ours, outcome(&ours, "ours"))?);
        if !report.is_empty() {
            return Err(Error::Differs {
                name: original.name.to_owned(),
                kernel: dialect.kernel().name.clone(),
                cases: (1, objects.len()),
                first: ("an object".to_owned(), report),
            });
        }
    }
    Ok(judged(How::Ran(objects.len())))
}

/// An object of each target, and what is none.
fn objects(pack: &Pack) -> io::Result<Vec<Vec<u8>>> {
    let mut objects = vec![Vec::new(), b"not an object".to_vec()];
    let Some(name) = pack.names()?.pop() else { return Ok(objects) };
    let recorded = recording::of(pack, &name)?;
    for target in TARGETS {
        let cases = recorded.iter().filter(|recorded| recorded.case.target == target);
        let mut files = cases.flat_map(|recorded| &recorded.case.files);
        objects
            .extend(files.find(|(_, contents)| contents.starts_with(b"\x7fELF")).map(|(_, contents)| contents.clone()));
    }
    Ok(objects)
}
