//! A crate's modules, and which of them names which.

use crate::paths::{Named, paths};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// The way to a module from its crate's root, which is empty.
pub type Way = Vec<String>;

/// Re-exports of re-exports are followed so far.
const DEEPEST: usize = 8;

struct Module {
    file: String,
    names: Vec<Named>,
}

/// The modules of a crate, without tests.
pub struct Crate(BTreeMap<Way, Module>);

/// That one module names something of another.
#[derive(Debug, Clone)]
pub struct Arrow {
    pub from: Way,
    pub to: Way,
    /// Where: the file and its line.
    pub place: String,
    /// As it is written there.
    pub path: String,
}

impl Crate {
    /// The crate whose source is in this folder.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        let files = files.iter();
        Ok(Self::of(files.map(|(file, text)| (&**file, &**text))))
    }

    /// The crate of these files, named as they are below `src`.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().filter_map(|(file, text)| {
            let module = Module {
                file: file.to_owned(),
                names: paths(text),
            };
            Some((way(file)?, module))
        });
        Self(files.collect())
    }

    /// The modules directly below the root.
    pub fn top(&self) -> impl Iterator<Item = &str> {
        let ways = self.0.keys().filter(|way| way.len() == 1);
        ways.map(|way| way[0].as_str())
    }

    /// Every arrow from a module to one that is neither around it nor within it.
    pub fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, module) in &self.0 {
            for named in &module.names {
                let target = self.absolute(from, module, &named.segments);
                let Some(to) = target.map(|path| self.land(&path, DEEPEST)) else {
                    continue;
                };
                if !to.starts_with(from) && !from.starts_with(&to) {
                    arrows.push(Arrow {
                        from: from.clone(),
                        to,
                        place: format!("src/{}:{}", module.file, named.line),
                        path: named.segments.join("::"),
                    });
                }
            }
        }
        arrows
    }

    /// The path from the crate's root, unless it begins in another crate.
    fn absolute(&self, from: &Way, module: &Module, segments: &[String]) -> Option<Way> {
        let first = segments.first()?.as_str();
        let mut path = from.clone();
        match first {
            "crate" => path.clear(),
            "self" => {}
            "super" => {
                path.pop();
            }
            _ if self.0.contains_key(&below(from, first)) => path.push(first.to_owned()),
            _ => {
                let import = module.import(first)?;
                path = (import != segments).then(|| self.absolute(from, module, import))??;
            }
        }
        for segment in &segments[1..] {
            if segment == "super" {
                path.pop();
            } else {
                path.push(segment.clone());
            }
        }
        Some(path)
    }

    /// The module in which what `path` names is defined.
    fn land(&self, path: &[String], deepest: usize) -> Way {
        let mut way = Way::new();
        for (at, segment) in path.iter().enumerate() {
            let next = below(&way, segment);
            if self.0.contains_key(&next) {
                way = next;
                continue;
            }
            let module = self.0.get(&way);
            let import = module.and_then(|module| {
                let import = module.import(segment)?;
                self.absolute(&way, module, import)
            });
            return match import {
                Some(import) if deepest > 0 => {
                    self.land(&[&import, &path[at + 1..]].concat(), deepest - 1)
                }
                _ => way,
            };
        }
        way
    }
}

impl Module {
    /// What this name stands for, if it is imported.
    fn import(&self, name: &str) -> Option<&[String]> {
        let named = self
            .names
            .iter()
            .find(|it| it.import.as_deref() == Some(name))?;
        Some(&named.segments)
    }
}

/// The module of a file; none of a program or a test.
fn way(file: &str) -> Option<Way> {
    let mut way: Way = file
        .strip_suffix(".rs")?
        .split('/')
        .map(str::to_owned)
        .collect();
    if way.iter().any(|name| name == "tests") || file == "main.rs" {
        return None;
    }
    if file == "lib.rs" || way.last().is_some_and(|name| name == "mod") {
        way.pop();
    }
    Some(way)
}

fn below(way: &Way, name: &str) -> Way {
    let mut below = way.clone();
    below.push(name.to_owned());
    below
}

/// The files below `folder`, and what is in them.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{file}/"), files)?;
        } else if entry.path().extension().is_some_and(|kind| kind == "rs") {
            files.push((file, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}
