//! Cases and outcomes as JSON, and back.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::{Value, json};

use super::pack::Pack;
use super::{damaged, text};
use crate::case::Case;
use crate::run::{Call, Left, Outcome};
use crate::subject::{TARGETS, Tool};

pub(super) fn list(value: &Value) -> io::Result<&[Value]> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| damaged("a list is wanted"))
}

/// Bytes from a string, a character each.
fn bytes(value: &Value) -> io::Result<Vec<u8>> {
    let byte = |character: char| u8::try_from(character).map_err(|_| damaged("a character is no byte"));
    text(value)?.chars().map(byte).collect()
}

fn string(bytes: &OsStr) -> String {
    bytes.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

fn path(value: &Value) -> io::Result<PathBuf> {
    Ok(OsString::from_vec(bytes(value)?).into())
}

fn octal(value: &Value) -> io::Result<u32> {
    u32::from_str_radix(&text(value)?, 8).map_err(|_| damaged("a mode is wanted"))
}

fn blob(pack: &Pack, name: &Value) -> io::Result<Vec<u8>> {
    pack.blob(&text(name)?).map(<[u8]>::to_vec)
}

pub(super) fn case(pack: &Pack, value: &Value) -> io::Result<Case> {
    let program = text(&value["target"])?;
    let target = TARGETS.into_iter().find(|target| target.program() == program);
    let mut case = Case::new(target.ok_or_else(|| damaged("an unknown target"))?);
    if !value["tool"].is_null() {
        let name = text(&value["tool"])?;
        let tool = Tool::ALL.into_iter().find(|tool| tool.name() == name);
        case.tool = tool.ok_or_else(|| damaged("an unknown tool"))?;
    }
    for directory in list(&value["folders"])? {
        case.directories.push(path(directory)?);
    }
    for file in list(&value["files"])? {
        case.files.push((path(&file[0])?, blob(pack, &file[1])?));
    }
    for link in list(&value["links"])? {
        case.links.push((path(&link[1])?, path(&link[2])?, link[0] == "symlink"));
    }
    for mode in list(&value["modes"])? {
        case.modes.push((path(&mode[0])?, octal(&mode[1])?));
    }
    case.calls.clear();
    for call in list(&value["calls"])? {
        let arguments = list(&call["args"])?.iter().map(|argument| bytes(argument).map(OsString::from_vec));
        let mut environment = Vec::new();
        for variable in list(&call["env"])? {
            // Named in constants everywhere else.
            let name: &'static str = text(&variable[0])?.leak();
            environment.push((name, OsString::from_vec(bytes(&variable[1])?)));
        }
        let arguments = arguments.collect::<io::Result<_>>()?;
        case.calls.push(Call { arguments, environment, stdin: blob(pack, &call["stdin"])? });
    }
    Ok(case)
}

pub(super) fn of_case(pack: &mut Pack, case: &Case) -> Value {
    let string_of = |path: &Path| string(path.as_os_str());
    let directories: Vec<_> = case.directories.iter().map(|directory| string_of(directory)).collect();
    let files = case.files.iter().map(|(path, contents)| json!([string_of(path), pack.add_blob(contents)]));
    let files: Vec<_> = files.collect();
    let links = case.links.iter().map(|(path, target, symbolic)| {
        json!([if *symbolic { "symlink" } else { "link" }, string_of(path), string_of(target)])
    });
    let links: Vec<_> = links.collect();
    let modes: Vec<_> = case.modes.iter().map(|(path, mode)| json!([string_of(path), format!("{mode:o}")])).collect();
    let mut calls = Vec::new();
    for call in &case.calls {
        let arguments: Vec<_> = call.arguments.iter().map(|argument| string(argument)).collect();
        let environment: Vec<_> = call.environment.iter().map(|(name, value)| json!([name, string(value)])).collect();
        calls.push(json!({ "args": arguments, "env": environment, "stdin": pack.add_blob(&call.stdin) }));
    }
    let target = case.target.program();
    let mut value = json!({
        "target": target, "folders": directories, "files": files, "links": links, "modes": modes, "calls": calls
    });
    // What was recorded before there were others is modpost's.
    if case.tool != Tool::Modpost {
        value["tool"] = json!(case.tool.name());
    }
    value
}

pub(super) fn outcome(pack: &Pack, value: &Value) -> io::Result<Outcome> {
    let number = |name: &str| value[name].as_i64().and_then(|number| i32::try_from(number).ok());
    let status = match (number("status"), number("signal")) {
        (Some(status), _) => ExitStatus::from_raw(status << 8),
        (None, Some(signal)) => ExitStatus::from_raw(signal),
        (None, None) => return Err(damaged("an outcome without status")),
    };
    let mut files = BTreeMap::new();
    for file in list(&value["files"])? {
        let links = file[2].as_u64().ok_or_else(|| damaged("a number of links is wanted"))?;
        let touched = file[3].as_bool().ok_or_else(|| damaged("true or false is wanted"))?;
        let left = Left { contents: blob(pack, &file[4])?, mode: octal(&file[1])?, links, touched };
        files.insert(path(&file[0])?, left);
    }
    Ok(Outcome { stdout: blob(pack, &value["stdout"])?, stderr: blob(pack, &value["stderr"])?, status, files })
}

pub(super) fn of_outcomes(pack: &mut Pack, name: &str, key: &str, outcomes: &[Outcome]) -> Value {
    let mut calls = Vec::new();
    for outcome in outcomes {
        let files = outcome.files.iter().map(|(path, left)| {
            let contents = pack.add_blob(&left.contents);
            json!([string(path.as_os_str()), format!("{:o}", left.mode), left.links, left.touched, contents])
        });
        let files: Vec<_> = files.collect();
        let (stdout, stderr) = (pack.add_blob(&outcome.stdout), pack.add_blob(&outcome.stderr));
        let mut call = json!({ "files": files, "stdout": stdout, "stderr": stderr });
        match outcome.status.code() {
            Some(status) => call["status"] = json!(status),
            None => call["signal"] = json!(outcome.status.signal()),
        }
        calls.push(call);
        if outcome.status.code().is_none() {
            break;
        }
    }
    json!({ "name": name, "key": key, "calls": calls })
}
