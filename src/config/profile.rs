//! A profile: whom to ask, with whose credentials, and within which limits.
//!
//! It says where its credentials are, and never holds one.

use std::time::Duration;

use super::Credentials;
use crate::provider::{Endpoint, Origin, Provider};

/// A profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its cloud.
    pub provider: &'static Provider,
    /// Its regions, empty if it names none.
    pub regions: Vec<String>,
    /// Where its credentials are.
    pub credentials: Credentials,
    /// Huawei Cloud's project.
    pub project_id: Option<String>,
    /// Huawei Cloud's enterprise project.
    pub enterprise_project_id: Option<String>,
    /// Another service address.
    pub endpoint: Option<Endpoint>,
    /// Whether requests go to the address inside a VPC (Alibaba Cloud).
    pub vpc: bool,
    /// The longest that a try may take.
    pub timeout: Option<Duration>,
    /// The longest that connecting may take.
    pub connect_timeout: Option<Duration>,
    /// Its requests in flight.
    pub max_concurrency: Option<usize>,
    /// Its requests a second.
    pub max_rps: Option<f64>,
    /// Not from a file: one of the two that are always there.
    pub built_in: bool,
}

impl Profile {
    /// The profile of a cloud that needs no file.
    pub(super) fn built_in(provider: &'static Provider) -> Self {
        Profile {
            name: provider.id.to_owned(),
            provider,
            regions: Vec::new(),
            credentials: Credentials::At(Origin::Standard),
            project_id: None,
            enterprise_project_id: None,
            endpoint: None,
            vpc: false,
            timeout: None,
            connect_timeout: None,
            max_concurrency: None,
            max_rps: None,
            built_in: true,
        }
    }
}
