//! Makes one file of all that a page's script or style sheet imports, so that a page on a slow
//! line waits for one round trip and not for one behind each import.
//!
//! Modules are put one after the other, each in a block of its own, behind those that it imports.
//! What they may import and export is one form each, on a line of its own; a file with any other
//! form is refused, and served as it is.

use std::fmt::Write;

/// Why a file is not bundled.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BundleError {
    #[error("{file}:{line}: this form of import or export is not known: {text}")]
    Form {
        file: String,
        line: usize,
        text: String,
    },
    #[error("{0} is imported, and is none of the pages' files")]
    Missing(String),
    #[error("{0} imports itself, by way of others")]
    Circle(String),
}

/// The script `entry` with everything that it imports; `read` has the text of a file.
pub(super) fn script<'a>(
    entry: &str,
    read: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, BundleError> {
    let mut bundle = Bundle {
        read,
        begun: Vec::new(),
        done: Vec::new(),
        text: String::new(),
    };
    bundle.add(entry)?;
    Ok(bundle.text)
}

/// The style sheet `entry`, with those that it imports in their place.
pub(super) fn sheet<'a>(
    entry: &str,
    read: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, BundleError> {
    let text = read(entry).ok_or_else(|| BundleError::Missing(entry.into()))?;
    let mut sheet = String::new();
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("@import ") {
            Some(import) => {
                let path = import.strip_suffix(';').and_then(quoted);
                let path = path.ok_or_else(|| form(entry, number, line))?;
                let imported = beside(entry, path);
                let text = read(&imported).ok_or(BundleError::Missing(imported))?;
                sheet.push_str(text);
            }
            None => sheet.push_str(line),
        }
        sheet.push('\n');
    }
    Ok(sheet)
}

struct Bundle<'r, 'a> {
    read: &'r dyn Fn(&str) -> Option<&'a str>,
    begun: Vec<String>,
    done: Vec<String>,
    text: String,
}

impl Bundle<'_, '_> {
    /// Adds a module behind what it imports, unless it is there.
    fn add(&mut self, file: &str) -> Result<(), BundleError> {
        if self.done.iter().any(|done| done == file) {
            return Ok(());
        }
        if self.begun.iter().any(|begun| begun == file) {
            return Err(BundleError::Circle(file.into()));
        }
        self.begun.push(file.into());
        let text = (self.read)(file).ok_or_else(|| BundleError::Missing(file.into()))?;
        let (mut body, mut exports) = (String::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("import") {
                let (names, path) = import(line).ok_or_else(|| form(file, number, line))?;
                let imported = beside(file, path);
                self.add(&imported)?;
                // Writing to a string cannot fail.
                let _ = write!(body, "const {names} = {};", variable(&imported));
            } else if let Some(declaration) = line.strip_prefix("export ") {
                let name = exported(declaration).ok_or_else(|| form(file, number, line))?;
                exports.push(name);
                body.push_str(declaration);
            } else {
                body.push_str(line);
            }
            body.push('\n');
        }
        let (module, exports) = (variable(file), exports.join(", "));
        let _ = writeln!(
            self.text,
            "let {module};\n{{ // {file}\n{body}{module} = {{ {exports} }};\n}}"
        );
        self.done.push(file.into());
        Ok(())
    }
}

/// `{ a, b as c }` or `* as d` as what stands before `=`, and the path.
fn import(line: &str) -> Option<(String, &str)> {
    let (names, path) = line.strip_prefix("import ")?.split_once(" from ")?;
    let path = quoted(path.strip_suffix(';')?)?;
    if let Some(name) = names.strip_prefix("* as ") {
        return Some((name.to_owned(), path));
    }
    let braced = names.starts_with('{') && names.ends_with('}');
    braced.then(|| (names.replace(" as ", ": "), path))
}

/// The name that is declared.
fn exported(declaration: &str) -> Option<&str> {
    let kinds = ["async function ", "function ", "const ", "class "];
    let rest = kinds.iter().find_map(|kind| declaration.strip_prefix(kind));
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let rest = rest?;
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty())
}

/// The text between double quotes.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The file that `path` is in `file`.
fn beside(file: &str, path: &str) -> String {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                folders.pop();
            }
            part => folders.push(part),
        }
    }
    folders.join("/")
}

/// The name that a module has in its bundle.
fn variable(file: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    file.chars().fold(String::from("$"), |name, c| {
        name + plain(c).encode_utf8(&mut [0; 4])
    })
}

fn form(file: &str, number: usize, text: &str) -> BundleError {
    BundleError::Form {
        file: file.into(),
        line: number + 1,
        text: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Option<&'static str> {
        Some(match file {
            "page/main.js" => {
                "import * as a from \"./a.js\";\nimport { one as two } from \"../b.js\";\na.go(two);\n"
            }
            "page/a.js" => {
                "import { one } from \"../b.js\";\nexport async function go() {}\nexport const last = one;\n"
            }
            "b.js" => "export class one {}\n",
            "x.js" => "import \"./b.js\";\n",
            "y.js" => "export default 1;\n",
            "z.js" => "import { z } from \"./gone.js\";\n",
            "left.js" => "import { r } from \"./right.js\";\n",
            "right.js" => "import { l } from \"./left.js\";\n",
            "page.css" => "@import \"./base.css\";\np { margin: 0 }\n",
            "base.css" => "b { color: red }",
            "bad.css" => "@import url(base.css);\n",
            _ => return None,
        })
    }

    #[test]
    fn each_module_is_there_once_behind_what_it_imports() {
        let bundle = script("page/main.js", &read).unwrap();
        assert_eq!(
            bundle,
            "let $b_js;\n{ // b.js\nclass one {}\n$b_js = { one };\n}\n\
             let $page_a_js;\n{ // page/a.js\nconst { one } = $b_js;\nasync function go() {}\n\
             const last = one;\n$page_a_js = { go, last };\n}\n\
             let $page_main_js;\n{ // page/main.js\nconst a = $page_a_js;\n\
             const { one: two } = $b_js;\na.go(two);\n$page_main_js = {  };\n}\n"
        );
    }

    #[test]
    fn what_is_not_understood_is_not_bundled() {
        for (file, line) in [("x.js", 1), ("y.js", 1)] {
            let error = script(file, &read).unwrap_err();
            let place = format!("{file}:{line}: ");
            assert!(error.to_string().starts_with(&place), "{error}");
        }
        let missing = BundleError::Missing("gone.js".into());
        assert_eq!(script("z.js", &read), Err(missing));
        let circle = BundleError::Circle("left.js".into());
        assert_eq!(script("left.js", &read), Err(circle));
        assert!(sheet("bad.css", &read).is_err());
    }

    #[test]
    fn a_sheet_has_those_that_it_imports_in_their_place() {
        let sheet = sheet("page.css", &read).unwrap();
        assert_eq!(sheet, "b { color: red }\np { margin: 0 }\n");
    }
}
