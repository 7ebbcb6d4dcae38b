// SPDX-License-Identifier: Apache-2.0

//! The worker's HTTP server: outputs, traces and metrics.
//!
//! - `GET /{root}`: a blob of this worker by the hexadecimal of its BLAKE3 root.
//! - `GET /health`: `ok` while the worker follows the chain, 503 otherwise.
//! - `GET /metrics`: Prometheus text.

use anyhow::{Context, Result};
use axum::{
	extract::{Path, State},
	http::{header, StatusCode},
	response::{IntoResponse, Response},
	routing::get,
	Router,
};
use std::{net::SocketAddr, sync::Arc};
use tensornet_client::{blobs, BlobStore};
use tokio::{net::TcpListener, sync::watch};

use crate::metrics::Metrics;

struct Shared {
	store: BlobStore,
	metrics: Arc<Metrics>,
}

/// Binds `address` and serves until `stop` turns true. Returns the bound address and the task.
pub async fn serve(
	address: SocketAddr,
	store: BlobStore,
	metrics: Arc<Metrics>,
	mut stop: watch::Receiver<bool>,
) -> Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
	let listener = TcpListener::bind(address).await.with_context(|| {
		format!("cannot listen on {address}: is the port taken? Choose another with --listen")
	})?;
	let bound = listener.local_addr()?;
	let router = Router::new()
		.route("/health", get(health))
		.route("/metrics", get(metrics_text))
		.route("/{root}", get(blob))
		.with_state(Arc::new(Shared { store, metrics }));
	let task = tokio::spawn(async move {
		let stopped = async move {
			let _ = stop.wait_for(|stop| *stop).await;
		};
		if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
			tracing::error!(%error, "the HTTP server stopped");
		}
	});
	Ok((bound, task))
}

async fn blob(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
	let Ok(root) = blobs::parse_root(&name) else {
		return (StatusCode::BAD_REQUEST, "a blob's name is 64 hexadecimal digits\n")
			.into_response();
	};
	let store = shared.store.clone();
	if !store.contains(&root) {
		return (StatusCode::NOT_FOUND, "no such blob here\n").into_response();
	}
	match tokio::task::spawn_blocking(move || store.get(&root)).await {
		Ok(Ok(bytes)) => {
			([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
		}
		_ => (StatusCode::INTERNAL_SERVER_ERROR, "the blob cannot be read\n").into_response(),
	}
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
	if shared.metrics.is_following() {
		"ok\n".into_response()
	} else {
		(StatusCode::SERVICE_UNAVAILABLE, "not following the chain\n").into_response()
	}
}

async fn metrics_text(State(shared): State<Arc<Shared>>) -> Response {
	([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], shared.metrics.render()).into_response()
}
