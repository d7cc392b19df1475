//! What is found, for people and as JSON.

use base::escape::escape;
use base::json;
use base::message::Fatal;
use cli::{Streams, Style};
use modpost::srcversion::Step;
use serde_json::{Value, json};

/// Where what is found is written.
pub(crate) struct Report<'a, 'b> {
    pub(crate) streams: &'a mut Streams<'b>,
    pub(crate) is_json: bool,
}

/// One side of a comparison: what it is called, and its srcversion.
pub(crate) type Side<'a> = (&'a [u8], Option<Vec<u8>>);

/// Why one may be absent.
const WHY_ABSENT: &[u8] = b"modpost gives one to modules with a MODULE_VERSION(), and to all if the kernel has \
    CONFIG_MODULE_SRCVERSION_ALL";

/// A module and what it has.
fn of_side((name, sum): &Side<'_>) -> Value {
    json!({ "module": json::text(name), "srcversion": json::optional(sum.as_deref()) })
}

impl Report<'_, '_> {
    /// A sum; `shown` is the module's name if it is to stand before it.
    pub(crate) fn sum(
        &mut self,
        name: &[u8],
        shown: Option<&[u8]>,
        sum: Option<&str>,
        steps: Option<&Vec<Step>>,
    ) -> Result<(), Fatal> {
        if self.is_json {
            let mut object = json!({ "module": json::text(name), "srcversion": sum });
            if let Some(steps) = steps {
                object["steps"] = steps.iter().map(of_step).collect();
            }
            return self.streams.put(&json::line(&object));
        }
        let sum = sum.map(str::as_bytes);
        // Without an explanation, what has none is told by the status.
        let Some(sum) = sum.or(steps.map(|_| &b"no srcversion"[..])) else { return Ok(()) };
        let name = shown.map_or(Vec::new(), |name| [&*escape(name), b": "].concat());
        self.streams.put(&[&name[..], &escape(sum), b"\n"].concat())?;
        steps.into_iter().flatten().try_for_each(|step| self.streams.put(&line(step)))
    }

    /// What one has.
    pub(crate) fn side(&mut self, side: &Side<'_>) -> Result<(), Fatal> {
        if self.is_json {
            return self.streams.put(&json::line(&of_side(side)));
        }
        let (name, sum) = side;
        let sum = sum.as_deref().unwrap_or(b"no srcversion");
        self.streams.put(&[&*escape(name), b": ", &escape(sum), b"\n"].concat())
    }

    /// Says whether two are equal, and why one may be absent.
    pub(crate) fn comparison(&mut self, sides: &[Side<'_>; 2]) -> Result<bool, Fatal> {
        let verdict = match (&sides[0].1, &sides[1].1) {
            (Some(first), Some(second)) if first == second => "equal",
            (Some(_), Some(_)) => "different",
            _ => "absent",
        };
        let are_equal = verdict == "equal";
        if self.is_json {
            let object = json!({ "verdict": verdict, "sides": sides.each_ref().map(of_side) });
            self.streams.put(&json::line(&object))?;
            return Ok(are_equal);
        }
        sides.iter().try_for_each(|side| self.side(side))?;
        let style = if are_equal { Style::Good } else { Style::Bad };
        let why = if verdict == "absent" { [b": ", WHY_ABSENT].concat() } else { Vec::new() };
        let verdict = self.streams.styled(style, verdict.as_bytes());
        self.streams.put(&[&verdict[..], &why, b"\n"].concat())?;
        Ok(are_equal)
    }
}

fn line(step: &Step) -> Vec<u8> {
    match step {
        Step::Object(path) => [b"  object ", &*escape(path), b"\n"].concat(),
        Step::Library(path) => [b"  skipped ", &*escape(path), b": a library\n"].concat(),
        Step::File { path, is_source, size, digest } => {
            let role: &[u8] = if *is_source { b"    source " } else { b"    header " };
            [role, &escape(path), format!(" {size} bytes {digest}\n").as_bytes()].concat()
        }
        Step::Elsewhere(1) => b"    skipped 1 header: it lies in another directory\n".to_vec(),
        Step::Elsewhere(count) => format!("    skipped {count} headers: they lie in other directories\n").into_bytes(),
    }
}

fn of_step(step: &Step) -> Value {
    match step {
        Step::Object(path) => json!({ "kind": "object", "path": json::text(path) }),
        Step::Library(path) => json!({ "kind": "library", "path": json::text(path) }),
        Step::File { path, is_source, size, digest } => {
            let kind = if *is_source { "source" } else { "header" };
            json!({ "kind": kind, "path": json::text(path), "size": size, "digest": digest })
        }
        Step::Elsewhere(count) => json!({ "kind": "elsewhere", "headers": count }),
    }
}
