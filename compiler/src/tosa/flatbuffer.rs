// SPDX-License-Identifier: Apache-2.0

//! Reading tables of a FlatBuffers file, with every offset checked against the file's end.
//!
//! A table begins with the distance back to its vtable: its length, the table's length, then the place
//! of each field inside the table, 0 where the field is absent. Strings, vectors and tables are held by
//! their distance from the place that names them. All numbers are little endian.

use std::cell::Cell;

/// Something in the file lies outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// A file being read.
pub struct Buffer<'a> {
	bytes: &'a [u8],
	/// How many vector elements may still be read. A vector may be named many times; what is read of a
	/// file is bounded by its length nevertheless.
	left: Cell<usize>,
}

impl<'a> Buffer<'a> {
	/// The bytes of a file.
	pub fn new(bytes: &'a [u8]) -> Self {
		Self { bytes, left: Cell::new(bytes.len()) }
	}

	/// The outermost table of a file with this identifier.
	pub fn root(&self, identifier: &[u8; 4]) -> Result<Table<'a, '_>, Damaged> {
		if self.take(4, 4)? != identifier {
			return Err(Damaged);
		}
		self.table(0)
	}

	fn take(&self, at: usize, length: usize) -> Result<&'a [u8], Damaged> {
		let end = at.checked_add(length).ok_or(Damaged)?;
		self.bytes.get(at..end).ok_or(Damaged)
	}

	fn fixed<const N: usize>(&self, at: usize) -> Result<[u8; N], Damaged> {
		self.take(at, N)?.try_into().map_err(|_| Damaged)
	}

	fn u16(&self, at: usize) -> Result<usize, Damaged> {
		Ok(u16::from_le_bytes(self.fixed(at)?) as usize)
	}

	fn u32(&self, at: usize) -> Result<usize, Damaged> {
		Ok(u32::from_le_bytes(self.fixed(at)?) as usize)
	}

	/// Where the object lies that is named at `at`.
	fn follow(&self, at: usize) -> Result<usize, Damaged> {
		at.checked_add(self.u32(at)?).ok_or(Damaged)
	}

	/// The table named at `at`.
	fn table(&self, at: usize) -> Result<Table<'a, '_>, Damaged> {
		let at = self.follow(at)?;
		let back = i32::from_le_bytes(self.fixed(at)?) as i64;
		let vtable = usize::try_from(at as i64 - back).map_err(|_| Damaged)?;
		let fields = (self.u16(vtable)?.checked_sub(4).ok_or(Damaged)?) / 2;
		Ok(Table { buffer: self, at, vtable, fields })
	}

	/// First element and length of the vector named at `at`.
	fn vector(&self, at: usize, size: usize) -> Result<(usize, usize), Damaged> {
		let at = self.follow(at)?;
		let length = self.u32(at)?;
		self.take(at + 4, length.checked_mul(size).ok_or(Damaged)?)?;
		Ok((at + 4, length))
	}

	/// Where each element of the vector lies that is named at `at`.
	fn elements(&self, at: usize, size: usize) -> Result<impl Iterator<Item = usize>, Damaged> {
		let (first, length) = self.vector(at, size)?;
		self.left.set(self.left.get().checked_sub(length).ok_or(Damaged)?);
		Ok((0..length).map(move |number| first + number * size))
	}

	/// The string named at `at`.
	fn text(&self, at: usize) -> Result<&'a str, Damaged> {
		let (first, length) = self.vector(at, 1)?;
		std::str::from_utf8(self.take(first, length)?).map_err(|_| Damaged)
	}
}

/// A table: fields by number, in the order of the schema. An absent field has its default.
#[derive(Clone, Copy)]
pub struct Table<'a, 'b> {
	buffer: &'b Buffer<'a>,
	at: usize,
	vtable: usize,
	fields: usize,
}

impl<'a, 'b> Table<'a, 'b> {
	/// Where a field lies; `None` if it is absent.
	fn field(&self, number: usize) -> Result<Option<usize>, Damaged> {
		if number >= self.fields {
			return Ok(None);
		}
		let offset = self.buffer.u16(self.vtable + 4 + 2 * number)?;
		Ok((offset > 0).then_some(self.at + offset))
	}

	/// A byte or an enumeration of one byte; 0 if absent.
	pub fn byte(&self, number: usize) -> Result<u8, Damaged> {
		let [byte] = match self.field(number)? {
			Some(at) => self.buffer.fixed(at)?,
			None => [0],
		};
		Ok(byte)
	}

	/// A truth value; false if absent.
	pub fn flag(&self, number: usize) -> Result<bool, Damaged> {
		Ok(self.byte(number)? != 0)
	}

	/// A 32-bit number; `default` if absent.
	pub fn i32(&self, number: usize, default: i32) -> Result<i32, Damaged> {
		let at = self.field(number)?;
		at.map_or(Ok(default), |at| Ok(i32::from_le_bytes(self.buffer.fixed(at)?)))
	}

	/// A 64-bit number; 0 if absent.
	pub fn u64(&self, number: usize) -> Result<u64, Damaged> {
		self.field(number)?.map_or(Ok(0), |at| Ok(u64::from_le_bytes(self.buffer.fixed(at)?)))
	}

	/// A string; empty if absent.
	pub fn text(&self, number: usize) -> Result<&'a str, Damaged> {
		self.field(number)?.map_or(Ok(""), |at| self.buffer.text(at))
	}

	/// A vector of bytes; empty if absent.
	pub fn bytes(&self, number: usize) -> Result<&'a [u8], Damaged> {
		let Some(at) = self.field(number)? else { return Ok(&[]) };
		let (first, length) = self.buffer.vector(at, 1)?;
		self.buffer.take(first, length)
	}

	/// A vector of 32-bit numbers; empty if absent.
	pub fn numbers(&self, number: usize) -> Result<Vec<i32>, Damaged> {
		let Some(at) = self.field(number)? else { return Ok(Vec::new()) };
		let elements = self.buffer.elements(at, 4)?;
		elements.map(|at| Ok(i32::from_le_bytes(self.buffer.fixed(at)?))).collect()
	}

	/// A vector of strings; empty if absent.
	pub fn texts(&self, number: usize) -> Result<Vec<&'a str>, Damaged> {
		let Some(at) = self.field(number)? else { return Ok(Vec::new()) };
		self.buffer.elements(at, 4)?.map(|at| self.buffer.text(at)).collect()
	}

	/// A table inside this one.
	pub fn table(&self, number: usize) -> Result<Option<Table<'a, 'b>>, Damaged> {
		self.field(number)?.map(|at| self.buffer.table(at)).transpose()
	}

	/// A vector of tables; empty if absent.
	pub fn tables(&self, number: usize) -> Result<Vec<Table<'a, 'b>>, Damaged> {
		let Some(at) = self.field(number)? else { return Ok(Vec::new()) };
		self.buffer.elements(at, 4)?.map(|at| self.buffer.table(at)).collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A file with one table: a number, an absent field, a string and a vector of two strings that are
	/// the same one.
	const FILE: &[u8] = &[
		20, 0, 0, 0, b'T', b'E', b'S', b'T', // root, identifier
		12, 0, 16, 0, 4, 0, 0, 0, 8, 0, 12, 0, // vtable of four fields
		12, 0, 0, 0, // table at 20: the vtable is 12 before
		0xfe, 0xff, 0xff, 0xff, // field 0 at 24: -2
		20, 0, 0, 0, // field 2 at 28: the string at 48
		4, 0, 0, 0, // field 3 at 32: the vector at 36
		2, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, // both elements are the string at 48
		2, 0, 0, 0, b'h', b'i', 0, 0,
	];

	#[test]
	fn fields_are_read_and_absent_ones_have_their_default() {
		let buffer = Buffer::new(FILE);
		let table = buffer.root(b"TEST").unwrap();
		assert_eq!(table.i32(0, 7), Ok(-2));
		assert_eq!(table.i32(1, 7), Ok(7));
		assert_eq!(table.text(2), Ok("hi"));
		assert_eq!(table.texts(3), Ok(vec!["hi", "hi"]));
		assert_eq!(table.text(9), Ok(""));
		assert!(table.table(1).unwrap().is_none());
	}

	#[test]
	fn another_identifier_is_refused() {
		assert!(Buffer::new(FILE).root(b"TOSA").is_err());
	}

	#[test]
	fn no_cut_and_no_changed_byte_reads_outside_the_file() {
		let read = |bytes: &[u8]| {
			let buffer = Buffer::new(bytes);
			let Ok(table) = buffer.root(b"TEST") else { return };
			for field in 0..6 {
				let _ = table.i32(field, 0);
				let _ = table.u64(field);
				let _ = table.text(field);
				let _ = table.bytes(field);
				let _ = table.numbers(field);
				let _ = table.texts(field);
				let _ = table.tables(field).map(|tables| tables.len());
			}
		};
		for end in 0..FILE.len() {
			read(&FILE[..end]);
		}
		for place in 0..FILE.len() {
			for value in [0, 1, 0x7f, 0x80, 0xff] {
				let mut changed = FILE.to_vec();
				changed[place] = value;
				read(&changed);
			}
		}
	}

	#[test]
	fn vectors_that_are_named_again_and_again_are_refused() {
		let buffer = Buffer::new(FILE);
		let table = buffer.root(b"TEST").unwrap();
		let reads = (0..1000).take_while(|_| table.numbers(3).is_ok()).count();
		assert_eq!(reads, FILE.len() / 2);
	}
}
