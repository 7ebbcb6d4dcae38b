// SPDX-License-Identifier: Apache-2.0

//! How large a model's values become on samples of its input.

mod choose;

pub use choose::{choose, origin, Choices, Targets};

use crate::{
	error::CompileError,
	graph::{Graph, Op},
	reference::iterations,
};
use rayon::prelude::*;

/// How the range of a tensor in eight bits is chosen. Sixteen bits hold whatever was seen, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
	/// From the smallest to the largest number seen.
	MinMax,
	/// Without the smallest and the largest so many parts of a million.
	Percentile(u32),
	/// Where the mean of the squared error is least.
	#[default]
	Mse,
}

/// Parts that the range of a tensor is counted in.
const BINS: usize = 1024;

/// Samples whose counts are in memory at the same time.
const AT_ONCE: usize = 16;

/// The numbers seen in one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
	/// The smallest.
	pub low: f64,
	/// The largest.
	pub high: f64,
	/// The mean for each element of the last axis; empty where no product reads the tensor.
	pub means: Vec<f64>,
	/// How many lie in each of equal parts between them.
	counts: Vec<u64>,
}

/// One range for each node of the graph.
pub type Ranges = Vec<Range>;

/// What was seen of a node in one sample: the smallest and the largest number, and the sums of means.
type Seen = (f32, f32, Vec<f64>);

/// Evaluates `graph` on every sample and collects the ranges; with `counts` also how the numbers are
/// distributed in them, which all methods but [`Method::MinMax`] need and takes as long again.
///
/// A sample holds the elements of the input, row-major; tokens as whole numbers. A loop's sample may hold
/// those of many iterations, between which the state is carried. A state has the range of what it becomes.
pub fn calibrate(
	graph: &Graph,
	samples: &[Vec<f32>],
	counts: bool,
) -> Result<Ranges, CompileError> {
	let expected = graph.input_elements();
	if samples.is_empty() {
		return Err(CompileError::Calibration("no sample was given".into()));
	}
	if let Some(bad) = samples.iter().find(|sample| !graph.fits(sample.len())) {
		let times = if graph.is_loop() { "times any number" } else { "" };
		let reason = format!("a sample has {} elements instead of {expected} {times}", bad.len());
		return Err(CompileError::Calibration(reason.trim_end().into()));
	}
	let mut ranges: Vec<Range> = channels(graph)
		.into_iter()
		.map(|channels| Range {
			low: f64::INFINITY,
			high: f64::NEG_INFINITY,
			means: vec![0.0; channels],
			counts: vec![0; BINS],
		})
		.collect();
	// In the order of the samples, so that sums of means do not depend on what runs at the same time.
	let seen: Vec<Vec<Seen>> =
		samples.par_iter().map(|sample| look(graph, sample, &ranges)).collect();
	let share = samples.iter().map(|sample| sample.len() / expected.max(1)).sum::<usize>() as f64;
	for one in &seen {
		for (range, (low, high, means)) in ranges.iter_mut().zip(one) {
			range.low = range.low.min(*low as f64);
			range.high = range.high.max(*high as f64);
			range.means.iter_mut().zip(means).for_each(|(all, mean)| *all += mean / share);
		}
	}
	if ranges.iter().any(|range| !(range.low.is_finite() && range.high.is_finite())) {
		return Err(CompileError::Calibration("a sample leads to infinite values".into()));
	}
	for carried in &graph.carried {
		let Range { low, high, .. } = ranges[carried.next];
		let state = &mut ranges[carried.state];
		(state.low, state.high) = (state.low.min(low), state.high.max(high));
	}
	if !counts {
		return Ok(ranges);
	}
	// Sums of counts do not depend on the order of the samples.
	for part in samples.chunks(AT_ONCE) {
		let counts: Vec<Vec<Vec<u64>>> = part
			.par_iter()
			.map(|sample| {
				let mut counts = vec![vec![0; BINS]; ranges.len()];
				for results in iterations(graph, sample) {
					for ((range, values), counts) in ranges.iter().zip(&results).zip(&mut counts) {
						range.count(values, counts);
					}
				}
				counts
			})
			.collect();
		for one in &counts {
			for (range, counts) in ranges.iter_mut().zip(one) {
				range.counts.iter_mut().zip(counts).for_each(|(all, one)| *all += one);
			}
		}
	}
	Ok(ranges)
}

/// What is seen of each node in all iterations of one sample.
fn look(graph: &Graph, sample: &[f32], ranges: &[Range]) -> Vec<Seen> {
	let nothing = |range: &Range| (f32::INFINITY, f32::NEG_INFINITY, vec![0.0; range.means.len()]);
	let mut seen: Vec<Seen> = ranges.iter().map(nothing).collect();
	for results in iterations(graph, sample) {
		for ((low, high, sums), values) in seen.iter_mut().zip(&results) {
			let (least, most) = extremes(values);
			(*low, *high) = (low.min(least), high.max(most));
			let means = means(values, sums.len());
			sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean);
		}
	}
	seen
}

/// For each node the elements of its last axis if a product with constant weights reads it, else 0.
fn channels(graph: &Graph) -> Vec<usize> {
	let mut channels = vec![0; graph.nodes.len()];
	for node in &graph.nodes {
		if let (Op::Dense { .. } | Op::Conv { .. }, [x]) = (&node.op, node.inputs.as_slice()) {
			channels[*x] = graph.nodes[*x].shape.last().copied().unwrap_or(0);
		}
	}
	channels
}

/// The mean for each element of the last axis.
fn means(values: &[f32], channels: usize) -> Vec<f64> {
	let mut sums = vec![0f64; channels];
	if channels > 0 {
		for row in values.chunks(channels) {
			sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x as f64);
		}
	}
	let rows = (values.len() / channels.max(1)).max(1) as f64;
	sums.into_iter().map(|sum| sum / rows).collect()
}

fn extremes(values: &[f32]) -> (f32, f32) {
	let start = (f32::INFINITY, f32::NEG_INFINITY);
	values.iter().fold(start, |(low, high), x| {
		// A number that is none must not be passed over.
		if x.is_nan() {
			(f32::NEG_INFINITY, f32::INFINITY)
		} else {
			(low.min(*x), high.max(*x))
		}
	})
}

impl Range {
	/// The largest magnitude.
	pub fn largest(&self) -> f64 {
		self.high.abs().max(self.low.abs())
	}

	fn count(&self, values: &[f32], counts: &mut [u64]) {
		let scale = BINS as f64 / (self.high - self.low).max(1e-30);
		for x in values {
			let bin = ((*x as f64 - self.low) * scale) as usize;
			counts[bin.min(BINS - 1)] += 1;
		}
	}

	/// The middle of a part.
	fn middle(&self, bin: usize) -> f64 {
		self.low + (bin as f64 + 0.5) * (self.high - self.low) / BINS as f64
	}

	/// The limits that eight bits should have.
	pub fn limits(&self, method: Method) -> (f64, f64) {
		match method {
			Method::MinMax => (self.low, self.high),
			Method::Percentile(parts) => self.percentile(parts),
			Method::Mse => self.least_error(),
		}
	}

	fn percentile(&self, parts: u32) -> (f64, f64) {
		let all: u64 = self.counts.iter().sum();
		let out = (all as f64 * parts as f64 / 1e6) as u64;
		let cut = |mut bins: Box<dyn Iterator<Item = usize>>| {
			let mut seen = 0;
			bins.by_ref().find(|bin| {
				seen += self.counts[*bin];
				seen > out
			})
		};
		let low = cut(Box::new(0..BINS)).map_or(self.low, |bin| self.middle(bin));
		let high = cut(Box::new((0..BINS).rev())).map_or(self.high, |bin| self.middle(bin));
		(if low < 0.0 { low } else { self.low }, if high > 0.0 { high } else { self.high })
	}

	/// The limits, in steps of a twentieth of each side, with the least mean squared error: a twelfth of
	/// the squared unit inside, the squared distance outside.
	fn least_error(&self) -> (f64, f64) {
		const STEPS: usize = 20;
		let (low, high) = (self.low.min(0.0), self.high.max(0.0));
		let sides = |side: f64| if side == 0.0 { 1 } else { STEPS - 3 };
		let mut best = (f64::INFINITY, (low, high));
		for cut_low in 0..sides(low) {
			for cut_high in 0..sides(high) {
				let kept = |cut: usize| 1.0 - cut as f64 / STEPS as f64;
				let (low, high) = (low * kept(cut_low), high * kept(cut_high));
				let unit = (high - low) / 255.0;
				let mut error = 0.0;
				for (bin, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0)
				{
					let x = self.middle(bin);
					let out = (low - x).max(x - high).max(0.0);
					error += *count as f64 * (out * out + unit * unit / 12.0);
				}
				if error < best.0 {
					best = (error, (low, high));
				}
			}
		}
		best.1
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn graph() -> Graph {
		let mut graph = Graph::default();
		graph.push("x", Op::Input { tokens: false }, vec![], vec![1, 4]);
		graph
	}

	#[test]
	fn samples_of_the_wrong_length_are_refused() {
		assert!(calibrate(&graph(), &[], true).is_err());
		assert!(calibrate(&graph(), &[vec![0.0; 3]], true).is_err());
		assert!(calibrate(&graph(), &[vec![f32::NAN; 4]], true).is_err());
		let ranges = calibrate(&graph(), &[vec![-2.0; 4], vec![1.0; 4]], false).unwrap();
		assert_eq!((ranges[0].low, ranges[0].high, ranges[0].largest()), (-2.0, 1.0, 2.0));
	}

	#[test]
	fn a_sequence_is_any_number_of_iterations_between_which_the_state_is_carried() {
		let mut graph = graph();
		let state = graph.push("state", Op::State, vec![], vec![1, 4]);
		let sum = Op::Binary(crate::graph::Arithmetic::Add);
		let next = graph.push("next", sum, vec![0, state], vec![1, 4]);
		(graph.output, graph.carried) = (next, vec![crate::graph::Carried { state, next }]);
		let samples = [vec![1.0; 12], vec![-0.5; 4]];
		let ranges = calibrate(&graph, &samples, true).unwrap();
		// 1, 2 and 3 in the first sample; -0.5 in the second, which starts at 0 again.
		assert_eq!((ranges[next].low, ranges[next].high), (-0.5, 3.0));
		assert_eq!((ranges[state].low, ranges[state].high), (-0.5, 3.0));
		assert_eq!(ranges[next].counts.iter().sum::<u64>(), 16);
		assert!(calibrate(&graph, &[vec![0.0; 6]], true).is_err());
	}

	#[test]
	fn a_rare_outlier_is_cut_off_where_that_lowers_the_error() {
		// A million numbers between -1 and 1, and two at -4 and 4.
		let mut counts = vec![0; BINS];
		counts[BINS * 3 / 8..BINS * 5 / 8].fill(1_000_000 / (BINS as u64 / 4));
		(counts[0], counts[BINS - 1]) = (1, 1);
		let range = Range { low: -4.0, high: 4.0, means: vec![], counts };
		assert_eq!(range.limits(Method::MinMax), (-4.0, 4.0));
		let (low, high) = range.limits(Method::Percentile(1000));
		assert!((-1.1..-0.9).contains(&low) && (0.9..1.1).contains(&high), "{low} {high}");
		let (low, high) = range.limits(Method::Mse);
		assert!((-2.0..-0.99).contains(&low) && (0.99..2.0).contains(&high), "{low} {high}");
	}
}
