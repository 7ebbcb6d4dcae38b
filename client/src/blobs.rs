// SPDX-License-Identifier: Apache-2.0

//! Content-addressed blobs: a local store and verified fetching.
//!
//! A blob's name is its BLAKE3 root in lower-case hexadecimal. Wherever blobs are offered, blob `r`
//! is at `{base}/{r}`; the base is a `file://`, `http://` or `https://` URL. What arrives is hashed
//! while it streams in and is kept only if the hash is the name.
//!
//! [`BlobStore::put`] makes one blob durable; a [`Batch`] makes many durable in one pass.

use anyhow::{anyhow, bail, Context, Result};
use futures::StreamExt;
use object_store::{path::Path as ObjectPath, ObjectStore, ObjectStoreExt};
use std::{
	collections::HashSet,
	fs::{File, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};
use url::Url;

use crate::Root;

/// How many files of a batch are synced at once. A journalling file system answers all who wait for
/// their files with one write of its journal.
const SYNCS: usize = 8;

/// The name of a blob.
pub fn name(root: &Root) -> String {
	hex::encode(root)
}

/// A root from its name, with or without `0x`.
pub fn parse_root(text: &str) -> Result<Root> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let mut root = [0; 32];
	hex::decode_to_slice(digits, &mut root)
		.map_err(|_| anyhow!("'{text}' is not a root: expected 64 hexadecimal digits"))?;
	Ok(root)
}

/// A folder of blobs. Writes are atomic: a blob is either there whole or not at all.
#[derive(Clone, Debug)]
pub struct BlobStore {
	folder: PathBuf,
}

impl BlobStore {
	/// Opens a store, creating its folder.
	pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
		let folder = folder.into();
		std::fs::create_dir_all(&folder)
			.with_context(|| format!("cannot create blob folder {}", folder.display()))?;
		let folder = folder.canonicalize()?;
		Ok(Self { folder })
	}

	/// The folder.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// The `file://` base URL under which other programs on this machine find the blobs.
	pub fn base_url(&self) -> String {
		format!("file://{}", self.folder.display())
	}

	/// Where a blob is or would be.
	pub fn path(&self, root: &Root) -> PathBuf {
		self.folder.join(name(root))
	}

	/// Whether a blob is here.
	pub fn contains(&self, root: &Root) -> bool {
		self.path(root).is_file()
	}

	/// Stores bytes; returns their root.
	pub fn put(&self, bytes: &[u8]) -> Result<Root> {
		let root = *blake3::hash(bytes).as_bytes();
		if !self.contains(&root) {
			self.keep(&root, bytes)?;
		}
		Ok(root)
	}

	/// Starts a batch of blobs that become durable together.
	pub fn batch(&self) -> Batch<'_> {
		Batch { store: self, written: Vec::new(), known: HashSet::new() }
	}

	/// Removes what writers that were killed left unfinished. Only for the one who owns the folder: a
	/// blob that somebody else is writing now would be lost to them.
	pub fn remove_unfinished(&self) -> Result<()> {
		let entries = std::fs::read_dir(&self.folder)
			.with_context(|| format!("cannot list {}", self.folder.display()))?;
		for entry in entries {
			let entry = entry?;
			if entry.file_name().to_string_lossy().starts_with('.') && entry.file_type()?.is_file()
			{
				std::fs::remove_file(entry.path())?;
			}
		}
		Ok(())
	}

	/// Reads a blob and checks it against its root. A damaged file is removed and reported.
	pub fn get(&self, root: &Root) -> Result<Vec<u8>> {
		let path = self.path(root);
		let mut bytes = Vec::new();
		std::fs::File::open(&path)
			.and_then(|mut file| file.read_to_end(&mut bytes))
			.with_context(|| format!("blob {} is not in {}", name(root), self.folder.display()))?;
		if blake3::hash(&bytes).as_bytes() != root {
			let _ = std::fs::remove_file(&path);
			bail!("blob {} was damaged on disk and has been removed", name(root));
		}
		Ok(bytes)
	}

	/// Removes a blob; it is fine if it is not there.
	pub fn remove(&self, root: &Root) -> Result<()> {
		match std::fs::remove_file(self.path(root)) {
			Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
			_ => Ok(()),
		}
	}

	/// The bytes of a blob: from here, or else fetched from the first of `bases` that has it and
	/// stored here. A blob longer than `limit` bytes is refused before it is read whole.
	pub async fn get_or_fetch(&self, root: &Root, bases: &[String], limit: u64) -> Result<Vec<u8>> {
		if self.contains(root) {
			if let Ok(bytes) = self.get(root) {
				return Ok(bytes);
			}
		}
		let mut failures = Vec::new();
		for base in bases {
			match self.fetch(root, base, limit).await {
				Ok(bytes) => return Ok(bytes),
				Err(error) => failures.push(format!("{base}: {error:#}")),
			}
		}
		if failures.is_empty() {
			bail!("blob {} is not here and no place to fetch it from is known", name(root));
		}
		bail!("blob {} could not be fetched: {}", name(root), failures.join("; "))
	}

	async fn fetch(&self, root: &Root, base: &str, limit: u64) -> Result<Vec<u8>> {
		let (store, path) = locate(base, root)?;
		let result = store.get(&path).await?;
		if result.meta.size > limit {
			bail!("it has {} bytes, more than the {limit} expected", result.meta.size);
		}
		let mut bytes = Vec::with_capacity(result.meta.size as usize);
		let mut hasher = blake3::Hasher::new();
		let mut stream = result.into_stream();
		while let Some(part) = stream.next().await {
			let part = part?;
			if bytes.len() as u64 + part.len() as u64 > limit {
				bail!("it is longer than the {limit} bytes expected");
			}
			hasher.update(&part);
			bytes.extend_from_slice(&part);
		}
		if hasher.finalize().as_bytes() != root {
			bail!("what arrived has another BLAKE3 root");
		}
		self.keep(root, &bytes)?;
		Ok(bytes)
	}

	/// Writes a blob under its name, on disk before it has that name.
	fn keep(&self, root: &Root, bytes: &[u8]) -> Result<()> {
		let partial = self.write(root, bytes)?;
		partial.sync().and_then(|()| partial.rename()).with_context(|| self.cannot_write())
	}

	/// Writes a blob that does not have its name yet.
	fn write(&self, root: &Root, bytes: &[u8]) -> Result<Partial> {
		use std::sync::atomic::{AtomicU64, Ordering};
		static COUNTER: AtomicU64 = AtomicU64::new(0);
		let unique = format!(
			".{}.{}.{}",
			name(root),
			std::process::id(),
			COUNTER.fetch_add(1, Ordering::Relaxed)
		);
		let partial = Partial { path: self.folder.join(unique), target: self.path(root) };
		File::create(&partial.path)
			.and_then(|mut file| file.write_all(bytes))
			.with_context(|| self.cannot_write())?;
		Ok(partial)
	}

	fn cannot_write(&self) -> String {
		format!("cannot write to {}: is the disk full?", self.folder.display())
	}
}

/// A file that gets its name when it is whole and on disk, and is removed otherwise.
struct Partial {
	path: PathBuf,
	target: PathBuf,
}

impl Partial {
	fn sync(&self) -> io::Result<()> {
		OpenOptions::new().write(true).open(&self.path)?.sync_all()
	}

	fn rename(&self) -> io::Result<()> {
		std::fs::rename(&self.path, &self.target)
	}
}

impl Drop for Partial {
	fn drop(&mut self) {
		// After a rename there is nothing left under this name.
		let _ = std::fs::remove_file(&self.path);
	}
}

/// Blobs that are stored together: writing them is cheap, and [`keep`](Self::keep) waits once until
/// all of them are on disk. A batch that is not kept leaves nothing.
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("batch-{}", std::process::id()));
/// use tensornet_client::BlobStore;
/// let store = BlobStore::open(&folder)?;
/// let mut batch = store.batch();
/// let root = batch.put(b"a checkpoint")?;
/// assert!(!store.contains(&root));
/// batch.keep()?;
/// assert_eq!(store.get(&root)?, b"a checkpoint");
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub struct Batch<'a> {
	store: &'a BlobStore,
	written: Vec<Partial>,
	known: HashSet<Root>,
}

impl Batch<'_> {
	/// Writes bytes; returns their root. The blob cannot be read before the batch is kept.
	pub fn put(&mut self, bytes: &[u8]) -> Result<Root> {
		let root = *blake3::hash(bytes).as_bytes();
		if self.known.insert(root) && !self.store.contains(&root) {
			self.written.push(self.store.write(&root, bytes)?);
		}
		Ok(root)
	}

	/// Waits until all blobs are on disk, under their names. After this they outlive a power cut.
	pub fn keep(self) -> Result<()> {
		self.sync().with_context(|| self.store.cannot_write())
	}

	fn sync(&self) -> io::Result<()> {
		let share = self.written.len().div_ceil(SYNCS).max(1);
		std::thread::scope(|scope| {
			let threads: Vec<_> = self
				.written
				.chunks(share)
				.map(|files| scope.spawn(|| files.iter().try_for_each(Partial::sync)))
				.collect();
			threads.into_iter().try_for_each(|thread| {
				thread.join().unwrap_or_else(|_| Err(io::Error::other("a sync failed")))
			})
		})?;
		self.written.iter().try_for_each(Partial::rename)?;
		// The names themselves: a folder is synced like a file where the system knows how.
		#[cfg(unix)]
		File::open(&self.store.folder)?.sync_all()?;
		Ok(())
	}
}

/// Checks that blobs can be fetched from a base URL: that it is one, and of a kind that is known.
/// Whether anything is there is not looked at.
pub fn check_base(base: &str) -> Result<()> {
	locate(base, &[0; 32]).map(|_| ())
}

fn locate(base: &str, root: &Root) -> Result<(Box<dyn ObjectStore>, ObjectPath)> {
	let url =
		Url::parse(base).with_context(|| {
			format!("'{base}' is not a URL: write one such as https://example.org/blobs or file:///blobs")
		})?;
	match url.scheme() {
		"file" => {
			let folder = url.to_file_path().map_err(|_| anyhow!("'{base}' is not a local path"))?;
			let store = object_store::local::LocalFileSystem::new();
			let path = ObjectPath::from_absolute_path(folder.join(name(root)))?;
			Ok((Box::new(store), path))
		}
		"http" | "https" => {
			let options = object_store::ClientOptions::new()
				.with_allow_http(true)
				.with_connect_timeout(std::time::Duration::from_secs(10))
				.with_timeout(std::time::Duration::from_secs(300));
			let store = object_store::http::HttpBuilder::new()
				.with_url(base.trim_end_matches('/'))
				.with_client_options(options)
				.with_retry(object_store::RetryConfig {
					max_retries: 2,
					retry_timeout: std::time::Duration::from_secs(10),
					..Default::default()
				})
				.build()?;
			Ok((Box::new(store), ObjectPath::from(name(root))))
		}
		other => bail!("'{other}' URLs are not supported: use file, http or https"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn store() -> (tempfile::TempDir, BlobStore) {
		let folder = tempfile::tempdir().unwrap();
		let store = BlobStore::open(folder.path().join("blobs")).unwrap();
		(folder, store)
	}

	#[tokio::test]
	async fn a_blob_is_fetched_from_a_folder_and_kept() {
		let (_a, source) = store();
		let (_b, sink) = store();
		let root = source.put(b"tensor").unwrap();
		let bytes = sink.get_or_fetch(&root, &[source.base_url()], 6).await.unwrap();
		assert_eq!(bytes, b"tensor");
		assert_eq!(sink.get(&root).unwrap(), b"tensor");
	}

	#[tokio::test]
	async fn an_oversized_blob_is_refused() {
		let (_a, source) = store();
		let (_b, sink) = store();
		let root = source.put(&[7; 100]).unwrap();
		let error = sink.get_or_fetch(&root, &[source.base_url()], 99).await.unwrap_err();
		assert!(error.to_string().contains("more than the 99 expected"), "{error}");
		assert!(!sink.contains(&root));
	}

	#[tokio::test]
	async fn a_blob_with_other_content_is_refused_and_leaves_nothing() {
		let (_a, source) = store();
		let (_b, sink) = store();
		let root = source.put(b"right").unwrap();
		std::fs::write(source.path(&root), b"wrong").unwrap();
		let error = sink.get_or_fetch(&root, &[source.base_url()], 10).await.unwrap_err();
		assert!(error.to_string().contains("another BLAKE3 root"), "{error}");
		assert_eq!(std::fs::read_dir(sink.folder()).unwrap().count(), 0);
		assert!(source.get(&root).unwrap_err().to_string().contains("damaged"));
	}

	#[test]
	fn a_batch_is_there_once_it_is_kept_and_not_before() {
		let (_a, store) = store();
		let old = store.put(b"old").unwrap();
		let blobs: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 100]).collect();
		let mut batch = store.batch();
		let roots: Vec<Root> = blobs.iter().map(|bytes| batch.put(bytes).unwrap()).collect();
		assert_eq!(batch.put(&blobs[3]).unwrap(), roots[3]);
		assert_eq!(batch.put(b"old").unwrap(), old);
		assert!(roots.iter().all(|root| !store.contains(root)));
		batch.keep().unwrap();
		for (root, bytes) in roots.iter().zip(&blobs) {
			assert_eq!(&store.get(root).unwrap(), bytes);
		}
		assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 21);
	}

	#[test]
	fn a_batch_that_is_dropped_leaves_nothing() {
		let (_a, store) = store();
		let mut batch = store.batch();
		batch.put(b"one").unwrap();
		batch.put(b"two").unwrap();
		drop(batch);
		assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 0);
	}

	#[test]
	fn what_a_killed_writer_left_is_removed_and_blobs_stay() {
		let (_a, store) = store();
		let root = store.put(b"whole").unwrap();
		std::fs::write(store.folder().join(format!(".{}.1.0", name(&[9; 32]))), b"ha").unwrap();
		store.remove_unfinished().unwrap();
		assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 1);
		assert!(store.contains(&root));
	}

	#[test]
	fn only_urls_that_can_be_fetched_from_are_bases() {
		for good in ["file:///tmp/blobs", "http://127.0.0.1:9980", "https://example.org/a/b/"] {
			check_base(good).unwrap();
		}
		for bad in
			["", "/tmp/blobs", "example.org", "ftp://example.org", "file://host/share", "http://"]
		{
			assert!(check_base(bad).is_err(), "{bad}");
		}
	}

	#[test]
	fn roots_are_parsed_strictly() {
		assert!(parse_root("0x12").is_err());
		assert_eq!(parse_root(&name(&[3; 32])).unwrap(), [3; 32]);
	}
}
