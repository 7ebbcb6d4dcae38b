// SPDX-License-Identifier: Apache-2.0

//! Progress on stderr: a line for each thing that happened, and a spinner for what is awaited.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Progress on stderr.
pub struct Screen {
	started: Instant,
	bar: ProgressBar,
}

impl Screen {
	/// Starts the clock.
	pub fn new() -> Self {
		let bar = ProgressBar::new_spinner();
		if let Ok(style) = ProgressStyle::with_template("         {spinner} {msg}") {
			bar.set_style(style);
		}
		bar.enable_steady_tick(Duration::from_millis(120));
		Self { started: Instant::now(), bar }
	}

	/// Seconds since the start.
	pub fn seconds(&self) -> f64 {
		self.started.elapsed().as_secs_f64()
	}

	/// A new part of the story.
	pub fn title(&self, text: &str) {
		self.line(&format!("\n== {text}"));
	}

	/// Something happened.
	pub fn say(&self, text: impl AsRef<str>) {
		self.line(&format!("{:6.1} s  {}", self.seconds(), text.as_ref()));
	}

	/// Something is awaited.
	pub fn wait(&self, text: impl AsRef<str>) {
		self.bar.set_message(text.as_ref().to_owned());
	}

	/// Nothing is awaited any more.
	pub fn end(&self) {
		self.bar.finish_and_clear();
	}

	fn line(&self, text: &str) {
		if self.bar.is_hidden() {
			eprintln!("{text}");
		} else {
			self.bar.println(text);
		}
	}
}
