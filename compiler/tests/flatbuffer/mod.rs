// SPDX-License-Identifier: Apache-2.0

//! Writes FlatBuffers files: each table after its vtable, and what it names after it.

/// A table: fields by number.
pub type Table = Vec<(usize, Field)>;

/// The value of a field.
pub enum Field {
	Byte(u8),
	I32(i32),
	Text(String),
	Bytes(Vec<u8>),
	Numbers(Vec<i32>),
	Texts(Vec<String>),
	Table(Table),
	Tables(Vec<Table>),
}

/// A file with this identifier and outermost table.
pub fn file(identifier: &[u8; 4], root: Table) -> Vec<u8> {
	let mut bytes = vec![0; 4];
	bytes.extend(identifier);
	table(&mut bytes, 0, root);
	bytes
}

/// Makes the four bytes at `at` name what is written next.
fn name(bytes: &mut Vec<u8>, at: usize) {
	bytes.resize(bytes.len().next_multiple_of(8), 0);
	let distance = (bytes.len() - at) as u32;
	bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
}

fn table(bytes: &mut Vec<u8>, named_at: usize, fields: Table) {
	bytes.resize(bytes.len().next_multiple_of(8), 0);
	let count = fields.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
	let vtable = bytes.len();
	// Every field takes four bytes of the table.
	let mut places = vec![0u16; count];
	for (place, (number, _)) in fields.iter().enumerate() {
		places[*number] = 4 + 4 * place as u16;
	}
	let lengths = [4 + 2 * count as u16, 4 + 4 * fields.len() as u16];
	bytes.extend(lengths.iter().chain(&places).flat_map(|number| number.to_le_bytes()));
	name(bytes, named_at);
	let at = bytes.len();
	bytes.extend(((at - vtable) as i32).to_le_bytes());
	bytes.resize(bytes.len() + 4 * fields.len(), 0);
	for (place, (_, field)) in fields.into_iter().enumerate() {
		put(bytes, at + 4 + 4 * place, field);
	}
}

fn put(bytes: &mut Vec<u8>, at: usize, field: Field) {
	match field {
		Field::Byte(value) => bytes[at] = value,
		Field::I32(value) => bytes[at..at + 4].copy_from_slice(&value.to_le_bytes()),
		Field::Text(text) => vector(bytes, at, text.len(), text.as_bytes()),
		Field::Bytes(data) => vector(bytes, at, data.len(), &data),
		Field::Numbers(numbers) => {
			let data: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
			vector(bytes, at, numbers.len(), &data);
		}
		Field::Table(fields) => table(bytes, at, fields),
		Field::Texts(texts) => {
			let first = offsets(bytes, at, texts.len());
			for (number, text) in texts.iter().enumerate() {
				vector(bytes, first + 4 * number, text.len(), text.as_bytes());
			}
		}
		Field::Tables(tables) => {
			let first = offsets(bytes, at, tables.len());
			for (number, fields) in tables.into_iter().enumerate() {
				table(bytes, first + 4 * number, fields);
			}
		}
	}
}

fn vector(bytes: &mut Vec<u8>, at: usize, length: usize, data: &[u8]) {
	name(bytes, at);
	bytes.extend((length as u32).to_le_bytes());
	bytes.extend(data);
	bytes.push(0);
}

/// A vector of `length` names that are written later; where the first lies.
fn offsets(bytes: &mut Vec<u8>, at: usize, length: usize) -> usize {
	vector(bytes, at, length, &vec![0; 4 * length]);
	bytes.len() - 1 - 4 * length
}
