//! The HTTP service that hands out signed prices.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::update::{Update, decode};
use crate::config;

/// Longest wait for an answer: a later price is worth more than this one.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the service.
pub struct Hermes {
    url: String,
    key: Option<String>,
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    binary: Binary,
}

#[derive(Deserialize)]
struct Binary {
    data: Vec<String>,
}

impl Hermes {
    /// A client by the configuration.
    ///
    /// Errors: the key's file cannot be read.
    pub fn new(config: &config::Hermes) -> Result<Self> {
        let read = |path: &std::path::PathBuf| {
            let text = fs::read_to_string(path).with_context(|| {
                let path = path.display();
                format!("cannot read {path}, which hermes.key_file names; write the service's key into it")
            })?;
            Ok::<_, anyhow::Error>(text.trim().to_owned())
        };
        let key = config.key_file.as_ref().map(read).transpose()?;
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { url: config.url.trim_end_matches('/').to_owned(), key, client })
    }

    /// The newest updates of feeds.
    ///
    /// Errors: the service does not answer as it should.
    pub async fn latest(&self, feeds: &[[u8; 32]]) -> Result<Vec<Update>> {
        self.get("latest", feeds).await
    }

    /// The first updates of feeds that were published at a time, Unix seconds, or after it.
    ///
    /// Errors: the service does not answer as it should.
    pub async fn at(&self, feeds: &[[u8; 32]], time: i64) -> Result<Vec<Update>> {
        self.get(&time.to_string(), feeds).await
    }

    async fn get(&self, which: &str, feeds: &[[u8; 32]]) -> Result<Vec<Update>> {
        let ids = feeds.iter().map(|feed| feed.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let ids: Vec<(&str, String)> = ids.map(|id| ("ids[]", id)).collect();
        let request = self.client.get(format!("{}/v2/updates/price/{which}", self.url)).query(&ids);
        let request = request.query(&[("encoding", "base64"), ("parsed", "false")]);
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let response = request.send().await.context("the price service does not answer; check hermes.url")?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                bail!("the price service refuses access; check the key in hermes.key_file")
            }
            StatusCode::TOO_MANY_REQUESTS => bail!("the price service limits its requests; raise hermes.poll"),
            status => bail!("the price service answers with HTTP status {status}"),
        }
        let answer: Answer = response.json().await.context("the price service answers something else than prices")?;
        let mut updates = Vec::new();
        for text in answer.binary.data {
            let bytes = BASE64_STANDARD.decode(text).context("the price service's data is not base64")?;
            updates.extend(decode(&bytes).context("the price service's data is no accumulator update")?);
        }
        Ok(updates)
    }
}
