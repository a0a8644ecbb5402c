//! The plain files beside the database: `files/<client>/<number>`.

use super::super::record::Key;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        Self(folder.join("files"))
    }

    /// Writes a record's file, all the way to the disk. Again, it is what it was.
    pub(super) fn write(&self, key: Key) -> io::Result<()> {
        let folder = self.0.join(key.client.to_string());
        fs::create_dir_all(&folder)?;
        let part = folder.join(format!("{}.part", key.number));
        let mut file = File::create(&part)?;
        file.write_all(key.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(part, folder.join(key.number.to_string()))?;
        File::open(folder)?.sync_all()
    }

    /// Whether a record's file is there, and right.
    pub(super) fn has(&self, key: Key) -> bool {
        let read = fs::read(self.0.join(key.to_string()));
        read.is_ok_and(|bytes| bytes == key.text().as_bytes())
    }

    /// The numbers of a client's files.
    pub(super) fn of_client(&self, client: u32) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(self.0.join(client.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            // One that was not finished is none.
            numbers.extend(
                entry?
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<u64>().ok()),
            );
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Writes another text into each file, and removes some.
    pub(super) fn spoil(&self) -> io::Result<()> {
        let Ok(clients) = fs::read_dir(&self.0) else {
            return Ok(());
        };
        for client in clients {
            for (index, file) in fs::read_dir(client?.path())?.enumerate() {
                let path = file?.path();
                match index % 2 {
                    0 => fs::write(path, "spoilt")?,
                    _ => fs::remove_file(path)?,
                }
            }
        }
        Ok(())
    }
}
