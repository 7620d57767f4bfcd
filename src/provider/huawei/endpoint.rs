//! Where HSS is served. The list is that of the vendor's SDK.

use crate::provider::Site;

const REGIONS: &[&str] = &[
    "cn-north-1",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-north-11",
    "cn-north-12",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "af-south-1",
    "af-north-1",
    "na-mexico-1",
    "la-north-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
    "ae-ad-1",
    "me-east-1",
    "my-kualalumpur-1",
    "ru-moscow-1",
    "eu-west-101",
];

/// Every region.
pub(super) fn regions() -> Vec<&'static str> {
    REGIONS.to_vec()
}

/// Each region is served by itself.
pub(super) fn site(region: &str) -> Option<Site> {
    let centre = REGIONS.iter().copied().find(|known| *known == region)?;
    // NOTE: The European region is a cloud of its own, with its own domain.
    let domain = match centre {
        "eu-west-101" => "myhuaweicloud.eu",
        _ => "myhuaweicloud.com",
    };
    Some(Site {
        centre,
        host: format!("hss.{centre}.{domain}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_own_host() {
        let host = |region| site(region).unwrap().host;
        assert_eq!(host("cn-north-4"), "hss.cn-north-4.myhuaweicloud.com");
        assert_eq!(host("eu-west-101"), "hss.eu-west-101.myhuaweicloud.eu");
        assert_eq!(site("cn-shanghai"), None);
        assert_eq!(regions().len(), 32);
    }
}
