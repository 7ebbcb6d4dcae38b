// SPDX-License-Identifier: Apache-2.0

//! Blobs over HTTP from servers that answer wrongly: nothing of what they send is kept.

use std::{
	io::{BufRead, BufReader, Write},
	net::{TcpListener, TcpStream},
	thread,
};
use tempfile::TempDir;
use tensornet_client::{BlobStore, Root};

/// What a client expects.
const BLOB: &[u8] = b"tensor";

fn root() -> Root {
	*blake3::hash(BLOB).as_bytes()
}

/// A server that answers every request with what `answer` writes. Its thread ends with the test's
/// process.
fn server(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> String {
	let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
	let url = format!("http://{}", listener.local_addr().expect("it has an address"));
	thread::spawn(move || {
		for stream in listener.incoming() {
			let Ok(mut stream) = stream else { return };
			let Ok(reader) = stream.try_clone() else { return };
			// A request ends with an empty line; a client that asks for a blob sends no body.
			for line in BufReader::new(reader).lines() {
				if line.is_ok_and(|line| !line.is_empty()) {
					continue;
				}
				break;
			}
			// A client that has seen enough hangs up, which is fine.
			let _ = answer(&mut stream);
		}
	});
	url
}

/// A server that states a length and sends these bytes.
fn sends(length: usize, bytes: &'static [u8]) -> String {
	server(move |stream| {
		write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
		stream.write_all(bytes)
	})
}

fn store() -> (TempDir, BlobStore) {
	let folder = tempfile::tempdir().expect("there is room for files");
	let store = BlobStore::open(folder.path().join("blobs")).expect("the folder is writable");
	(folder, store)
}

/// Fails to fetch the blob from these places, says why, and keeps nothing.
async fn refused(bases: &[String], why: &str) {
	let (_folder, store) = store();
	let fetched = store.get_or_fetch(&root(), bases, BLOB.len() as u64).await;
	let error = fetched.expect_err("it was accepted").to_string();
	assert!(error.contains(why), "'{why}' is not in: {error}");
	assert!(!store.contains(&root()));
	let left = std::fs::read_dir(store.folder()).expect("the folder is there").count();
	assert_eq!(left, 0, "something of it was kept");
}

#[tokio::test]
async fn the_right_blob_is_kept() {
	let (_folder, store) = store();
	let base = sends(BLOB.len(), BLOB);
	let bytes = store.get_or_fetch(&root(), &[base], BLOB.len() as u64).await.unwrap();
	assert_eq!(bytes, BLOB);
	assert_eq!(store.get(&root()).unwrap(), BLOB);
}

#[tokio::test]
async fn a_blob_that_breaks_off_is_refused() {
	refused(&[sends(BLOB.len(), b"ten")], "could not be fetched").await;
}

#[tokio::test]
async fn a_shorter_blob_is_refused() {
	refused(&[sends(3, b"ten")], "another BLAKE3 root").await;
}

#[tokio::test]
async fn a_longer_blob_is_refused_before_it_is_read() {
	// Nobody could send what is announced here.
	refused(&[sends(usize::MAX / 2, b"tensor")], "more than the 6 expected").await;
}

#[tokio::test]
async fn a_blob_without_end_is_refused() {
	let endless = server(|stream| {
		write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
		loop {
			stream.write_all(b"6\r\ntensor\r\n")?;
		}
	});
	refused(&[endless], "could not be fetched").await;
}

#[tokio::test]
async fn another_blob_of_the_same_length_is_refused() {
	refused(&[sends(BLOB.len(), b"tensoR")], "another BLAKE3 root").await;
}

#[tokio::test]
async fn an_error_page_is_no_blob() {
	let missing = server(|stream| {
		write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	});
	refused(&[missing], "could not be fetched").await;
}

#[tokio::test]
async fn after_a_wrong_place_the_next_one_is_asked() {
	let (_folder, store) = store();
	let bases = [sends(BLOB.len(), b"tensoR"), sends(BLOB.len(), BLOB)];
	let bytes = store.get_or_fetch(&root(), &bases, BLOB.len() as u64).await.unwrap();
	assert_eq!(bytes, BLOB);
}
