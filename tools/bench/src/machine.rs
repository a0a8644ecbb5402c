//! Where it was measured, and with what.

use std::path::Path;
use std::process::Command;

/// Lines of a Markdown list: machine, system and the version of each program.
pub fn describe(hypervisor: &Path) -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let uname = rustix::system::uname();
    let kernel = format!(
        "{} {}",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy()
    );
    let commit = first_line(Command::new("git").args(["describe", "--always", "--dirty"]));
    let own = first_line(Command::new(hypervisor).arg("--version"));
    [
        format!("machine: {}, {processors} processors", processor()),
        format!("system: {kernel}"),
        format!("{own}, commit {commit}"),
        first_line(Command::new("nginx").arg("-v")),
        first_line(Command::new("haproxy").arg("-v")),
        format!("Caddy {}", first_line(Command::new("caddy").arg("version"))),
        first_line(Command::new("openssl").arg("version")),
        first_line(Command::new("wrk").arg("-v")),
        first_line(Command::new("h2load").arg("--version")),
    ]
    .map(|line| format!("- {line}\n"))
    .concat()
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    parse_cpuinfo(&text).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// The model's name, which not every architecture has.
fn parse_cpuinfo(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program says of its version, on whichever of its outputs.
fn first_line(command: &mut Command) -> String {
    let text = command.output().map(|output| {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        said.lines().next().unwrap_or_default().trim().to_owned()
    });
    text.unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{first_line, parse_cpuinfo};
    use std::process::Command;

    #[test]
    fn the_model_is_read_where_there_is_one() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2GHz\nmodel name\t: Other\n";
        assert_eq!(parse_cpuinfo(text).as_deref(), Some("Some CPU @ 2GHz"));
        assert_eq!(parse_cpuinfo("processor: 0"), None);
    }

    #[test]
    fn a_version_is_read_from_either_output() {
        let say = |script| first_line(Command::new("/bin/sh").args(["-c", script]));
        assert_eq!(say("echo one; echo two"), "one");
        assert_eq!(say("echo one >&2; exit 1"), "one");
        assert!(!first_line(&mut Command::new("/nowhere/at/all")).is_empty());
    }
}
