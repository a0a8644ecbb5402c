//! What shells and `man` know of the commands, made from their definitions.

use super::answer::Answer;
use super::{Cli, exit, output};
use anyhow::{Context as _, Result};
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct Pages {
    /// The folder, which is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Prints a shell's completions.
pub(super) fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hypervisor", &mut script);
    Ok(output::answer(&String::from_utf8(script)?)?)
}

/// Writes a manual page for each command.
pub(super) fn write(pages: &Pages) -> Result<Answer> {
    let folder = &pages.out;
    let failed = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder).with_context(failed)?;
    let mut files = Vec::new();
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    write_all(&command, folder, &mut files).with_context(failed)?;
    let first = folder.join("hypervisor.1");
    let said = format!(
        "{} pages are in {}; `man -l {}` shows the first",
        files.len(),
        folder.display(),
        first.display()
    );
    Ok(Answer::sentence(said, json!({ "pages": files })))
}

fn write_all(command: &Command, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("hypervisor ", env!("CARGO_PKG_VERSION")))
        .manual("ChoirOS host");
    let file = folder.join(man.get_filename());
    fs::write(&file, page(command, &man)?)?;
    files.push(file);
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write_all(below, folder, files)?;
    }
    Ok(())
}

/// A page as the library makes it, but with the exit codes as manuals have them.
fn page(command: &Command, man: &Man) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|it| !it.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let mut end = Roff::new();
    end.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::codes() {
        end.control("TP", ["5"]);
        end.text([bold(code.to_string())]);
        end.text([roman(meaning)]);
    }
    end.to_writer(&mut page)?;
    Ok(page)
}
