// SPDX-License-Identifier: Apache-2.0

//! Results on stdout: text for people, or JSON for programs. Progress and errors go to stderr.

use anyhow::{ensure, Context as _, Result};
use serde::Serialize;
use std::{
	fmt::Display,
	fs,
	io::{self, stdout, Write},
	path::Path,
};
use tensornet_client::{blobs, keys, AccountId, Root, Tna};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
	json: bool,
}

impl Output {
	/// JSON if `json`, else text.
	pub fn new(json: bool) -> Self {
		Self { json }
	}

	/// Whether results are JSON.
	pub fn is_json(&self) -> bool {
		self.json
	}

	/// Prints one result.
	pub fn one<T: Serialize + Display>(&self, value: &T) -> Result<()> {
		let text = if self.json { serde_json::to_string(value)? } else { value.to_string() };
		writeln!(stdout().lock(), "{}", text.trim_end())?;
		Ok(())
	}

	/// Prints a list: as JSON one object a line, as text a table, or `empty` if there is nothing.
	pub fn list<T: Serialize>(
		&self,
		values: &[T],
		table: impl FnOnce(&[T]) -> Table,
		empty: &str,
	) -> Result<()> {
		let mut out = stdout().lock();
		if self.json {
			for value in values {
				writeln!(out, "{}", serde_json::to_string(value)?)?;
			}
		} else if values.is_empty() {
			writeln!(out, "{empty}")?;
		} else {
			write!(out, "{}", table(values))?;
		}
		Ok(())
	}
}

/// Rows of text with aligned columns.
pub struct Table {
	rows: Vec<Vec<String>>,
	right: Vec<usize>,
}

impl Table {
	/// A table with these column heads.
	pub fn new(head: &[&str]) -> Self {
		Self { rows: vec![head.iter().map(|cell| cell.to_string()).collect()], right: Vec::new() }
	}

	/// Aligns these columns to the right.
	pub fn right(mut self, columns: &[usize]) -> Self {
		self.right = columns.to_vec();
		self
	}

	/// Adds a row.
	pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
		self.rows.push(cells.into_iter().map(Into::into).collect());
	}
}

impl Display for Table {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
		let width = |column: usize| {
			let cells = self.rows.iter().filter_map(|row| row.get(column));
			cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
		};
		let widths: Vec<usize> = (0..columns).map(width).collect();
		for row in &self.rows {
			let mut line = String::new();
			for (column, cell) in row.iter().enumerate() {
				let pad = " ".repeat(widths[column] - cell.chars().count());
				if self.right.contains(&column) {
					line.push_str(&pad);
					line.push_str(cell);
				} else {
					line.push_str(cell);
					line.push_str(&pad);
				}
				line.push_str("  ");
			}
			writeln!(f, "{}", line.trim_end())?;
		}
		Ok(())
	}
}

/// Lines of `name: value` with aligned values.
#[derive(Default)]
pub struct Facts(Vec<(String, String)>);

impl Facts {
	/// No lines yet.
	pub fn new() -> Self {
		Self::default()
	}

	/// Adds a line.
	pub fn line(mut self, name: &str, value: impl Display) -> Self {
		self.0.push((name.to_owned(), value.to_string()));
		self
	}

	/// Adds a line if there is a value.
	pub fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
		match value {
			Some(value) => self.line(name, value),
			None => self,
		}
	}
}

impl Display for Facts {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 1;
		for (name, value) in &self.0 {
			writeln!(f, "{:width$} {value}", format!("{name}:"))?;
		}
		Ok(())
	}
}

/// An amount as a decimal string of TNA, exact to the last unit.
pub fn tna(units: u128) -> String {
	Tna(units).to_string()
}

/// An amount with its unit, for people.
pub fn tna_text(units: u128) -> String {
	format!("{} TNA", Tna(units))
}

/// An account's SS58 address.
pub fn address(account: &AccountId) -> String {
	keys::address(account)
}

/// An address as tables show it: its beginning and its end.
pub fn shortened(address: &str) -> String {
	match (address.get(..6), address.get(address.len().saturating_sub(6)..)) {
		(Some(head), Some(tail)) if address.len() > 16 => format!("{head}…{tail}"),
		_ => address.to_owned(),
	}
}

/// Fails where a file could not be written: found out before it is paid for.
pub fn may_write(path: &Path) -> Result<()> {
	ensure!(!path.is_dir(), "{} is a folder: name a file in it", path.display());
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	ensure!(
		folder.is_none_or(Path::is_dir),
		"the folder of {} does not exist: make it first",
		path.display()
	);
	Ok(())
}

/// Writes a file whole or not at all. What is no ordinary file, such as a pipe, is written to.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
	let write = || -> io::Result<()> {
		if path.exists() && !path.is_file() {
			return fs::write(path, bytes);
		}
		// A link keeps pointing to what it points to.
		let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
		let mut partial = path.clone().into_os_string();
		partial.push(format!(".partial-{}", std::process::id()));
		let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, &path));
		written.inspect_err(|_| drop(fs::remove_file(&partial)))
	};
	write().with_context(|| format!("cannot write the output to {}", path.display()))
}

/// A root with its `0x`.
pub fn root(root: &Root) -> String {
	format!("0x{}", blobs::name(root))
}

/// A count with separated thousands.
pub fn count(value: impl Into<u128>) -> String {
	let digits = value.into().to_string();
	let mut text = String::new();
	for (position, digit) in digits.chars().enumerate() {
		if position > 0 && (digits.len() - position) % 3 == 0 {
			text.push(',');
		}
		text.push(digit);
	}
	text
}

/// A number of bytes with a unit that suits it.
pub fn bytes(value: u64) -> String {
	const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
	if value < 1024 {
		return format!("{value} bytes");
	}
	let mut scaled = value as f64 / 1024.0;
	let mut unit = 0;
	while scaled >= 1024.0 && unit + 1 < UNITS.len() {
		scaled /= 1024.0;
		unit += 1;
	}
	format!("{scaled:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn thousands_are_separated() {
		for (value, text) in
			[(0u64, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")]
		{
			assert_eq!(count(value), text);
		}
	}

	#[test]
	fn sizes_have_a_fitting_unit() {
		for (value, text) in [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB")] {
			assert_eq!(bytes(value), text);
		}
		assert_eq!(bytes(3 * 1024 * 1024), "3.0 MiB");
		assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
	}

	#[test]
	fn addresses_are_shortened_and_words_are_not() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		assert_eq!(shortened(alice), "5Grwva…GKutQY");
		assert_eq!(shortened("-"), "-");
	}

	#[test]
	fn a_file_is_replaced_whole_and_nothing_else_is_left() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("out");
		for bytes in [&b"first"[..], b"2"] {
			may_write(&file).unwrap();
			write_file(&file, bytes).unwrap();
			assert_eq!(fs::read(&file).unwrap(), bytes);
		}
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
		let missing = folder.path().join("no/such/folder");
		assert!(may_write(&missing).is_err() && write_file(&missing, b"x").is_err());
		assert!(may_write(folder.path()).unwrap_err().to_string().contains("is a folder"));
	}

	#[test]
	fn columns_line_up() {
		let mut table = Table::new(&["name", "n"]).right(&[1]);
		table.row(["a", "1"]);
		table.row(["longer", "100"]);
		assert_eq!(table.to_string(), "name      n\na         1\nlonger  100\n");
	}

	#[test]
	fn facts_line_up() {
		let facts = Facts::new().line("id", 7).maybe("gone", None::<u8>).line("longer", "x");
		assert_eq!(facts.to_string(), "id:     7\nlonger: x\n");
	}
}
