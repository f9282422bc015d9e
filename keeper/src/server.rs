//! Serves `/metrics` and `/health`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tracing::error;

use crate::{config, metrics::Metrics};

/// Prometheus' text format.
const FORMAT: &str = "text/plain; version=0.0.4";

#[derive(Clone)]
struct Served {
    metrics: Arc<Metrics>,
    unhealthy_after: Duration,
}

/// Starts to serve; returns the address, whose port the system chose if it was 0.
///
/// Errors: the address cannot be listened on.
pub async fn serve(config: &config::Metrics, metrics: Arc<Metrics>) -> Result<SocketAddr> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with metrics.listen", config.listen))?;
    let address = listener.local_addr()?;
    let served = Served { metrics, unhealthy_after: config.unhealthy_after };
    let router = Router::new().route("/metrics", get(text)).route("/health", get(health)).with_state(served);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            error!(%error, "metrics are not served any more");
        }
    });
    Ok(address)
}

async fn text(State(served): State<Served>) -> impl IntoResponse {
    match served.metrics.text() {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, FORMAT)], text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, FORMAT)], error.to_string()),
    }
}

async fn health(State(served): State<Served>) -> impl IntoResponse {
    let silent = Duration::from_millis(served.metrics.since_round());
    let (status, word) = if silent <= served.unhealthy_after {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no successful round")
    };
    (status, format!("{word}: the last one ended {} ms ago\n", silent.as_millis()))
}
