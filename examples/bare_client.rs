//! Fetches pages and throws them away: what the wire and the HTTP client cost when nothing is done with the answers.
//!
//! `bare_client ADDRESS PAGES [PAGE_SIZE]`, eight requests in flight, as scanq's default is.

use futures_util::{StreamExt, stream};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(address), Some(pages)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: bare_client ADDRESS PAGES [PAGE_SIZE]");
    };
    let pages: u64 = pages.parse()?;
    let size: u64 = args.next().map_or(Ok(100), |size| size.parse())?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(scanq::client::tls::without_roots())
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut fetched = stream::iter(1..=pages)
            .map(|page| {
                let url = format!("{address}/?CurrentPage={page}&PageSize={size}");
                let request = client.get(url);
                async move {
                    let mut response = request.send().await?.error_for_status()?;
                    let mut bytes = 0;
                    while let Some(chunk) = response.chunk().await? {
                        bytes += chunk.len();
                    }
                    Ok::<_, reqwest::Error>(bytes)
                }
            })
            .buffered(8);
        while let Some(bytes) = fetched.next().await {
            anyhow::ensure!(bytes? > 0, "an empty answer");
        }
        Ok(())
    })
}
