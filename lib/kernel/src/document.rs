//! The document made from the tools' tables of changes.

use crate::change::{BEFORE_ALL, Change, VENDORS_ALONE};

/// Releases of which there is neither an original nor a recording, and those
/// that follow them: which of two brought a change is known by reading alone.
const READ_ALONE: &[(u16, u16)] = &[(5, 13), (5, 14), (6, 15), (6, 16)];

/// A tool's section in Markdown: a heading, and a table with a row for each
/// change.
#[must_use]
pub fn section(heading: &str, changes: &[Change]) -> String {
    let mut section = format!("## {heading}\n\n");
    section +=
        "| flag | since | until | stable releases | commits | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
    for Change { name, meaning, since, until, stable, commits } in changes {
        let release = |(major, minor): (u16, u16)| match (major, minor) {
            BEFORE_ALL => "before 5.10".to_owned(),
            VENDORS_ALONE => "vendors".to_owned(),
            _ => format!("{major}.{minor}"),
        };
        let is_read = READ_ALONE.contains(since) || until.is_some_and(|until| READ_ALONE.contains(&until));
        let stable: Vec<_> = stable.iter().map(|(a, b, c)| format!("{a}.{b}.{c}")).collect();
        let (since, until, stable) = (release(*since), until.map(release).unwrap_or_default(), stable.join(", "));
        let read = if is_read { " *The release is known by reading alone.*" } else { "" };
        let (commits, meaning) = (commits.join(", "), meaning.trim());
        section += &format!("| {name} | {since} | {until} | {stable} | {commits} | {meaning}{read} |\n");
    }
    section
}
