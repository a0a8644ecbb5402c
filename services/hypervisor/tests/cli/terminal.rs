//! A terminal with somebody at it.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

pub struct Terminal {
    master: File,
    name: String,
}

impl Terminal {
    pub fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        Self {
            name: name.into_string().unwrap(),
            master: master.into(),
        }
    }

    /// The end of it that a program has.
    pub fn end(&self) -> File {
        let mut options = File::options();
        options.read(true).write(true).open(&self.name).unwrap()
    }

    /// What somebody types, before the program asks for it.
    pub fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Runs a command to its end, which has ends of this; what it showed here.
    pub fn run(mut self, mut command: Command) -> (Option<i32>, String) {
        let mut child = command.spawn().unwrap();
        // Its copies of the ends keep the terminal open.
        drop(command);
        let mut shown = Vec::new();
        // Ends with an error when nobody has the terminal any more.
        let _ = self.master.read_to_end(&mut shown);
        let shown = String::from_utf8(shown).unwrap().replace("\r\n", "\n");
        (child.wait().unwrap().code(), shown)
    }
}
