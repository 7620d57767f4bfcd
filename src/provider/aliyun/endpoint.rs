//! The two centres of Security Center.
//!
//! A region only selects the centre that holds its data; the data of the two centres are separate, and the wrong one
//! answers with empty lists, not with an error. The map is that of the vendor's SDK.

use crate::provider::Site;

const CHINA: &[&str] = &[
    "cn-qingdao",
    "cn-beijing",
    "cn-zhangjiakou",
    "cn-huhehaote",
    "cn-wulanchabu",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-nanjing",
    "cn-fuzhou",
    "cn-shenzhen",
    "cn-heyuan",
    "cn-guangzhou",
    "cn-chengdu",
    "cn-hongkong",
    "cn-beijing-finance-1",
    "cn-hangzhou-finance",
    "cn-shanghai-finance-1",
    "cn-shenzhen-finance-1",
    "cn-heyuan-acdr-1",
    "cn-north-2-gov-1",
    "cn-qingdao-acdr-ut-1",
    "cn-shanghai-mybk",
    "cn-wuhan-lr",
    "cn-zhengzhou-jva",
];

const ABROAD: &[&str] = &[
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-west-1",
    "me-east-1",
    "me-central-1",
];

/// Every region, by centre.
pub(super) fn regions() -> Vec<&'static str> {
    CHINA.iter().chain(ABROAD).copied().collect()
}

/// The centre of a region.
pub(super) fn site(region: &str) -> Option<Site> {
    let centre = match region {
        _ if CHINA.contains(&region) => "cn-shanghai",
        _ if ABROAD.contains(&region) => "ap-southeast-1",
        _ => return None,
    };
    Some(Site {
        centre,
        host: format!("tds.{centre}.aliyuncs.com"),
    })
}

/// Regions whose private networks reach the centre in China; the vendor's metadata lists no others.
const CHINA_VPC: &[&str] = &[
    "cn-zhangjiakou",
    "cn-wulanchabu",
    "cn-shenzhen",
    "cn-shanghai",
    "cn-huhehaote",
    "cn-hongkong",
    "cn-heyuan-acdr-1",
    "cn-heyuan",
    "cn-hangzhou",
    "cn-guangzhou",
    "cn-chengdu",
    "cn-beijing",
];

/// Regions whose private networks reach the centre abroad.
const ABROAD_VPC: &[&str] = &[
    "us-west-1",
    "us-east-1",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-northeast-1",
    "ap-northeast-2",
];

/// The centre of a region, by an address inside its private network.
pub(super) fn vpc_site(region: &str) -> Option<Site> {
    let host = match region {
        _ if CHINA_VPC.contains(&region) => "tds.vpc-proxy.aliyuncs.com",
        _ if ABROAD_VPC.contains(&region) => "tds-intl.vpc-proxy.aliyuncs.com",
        "ap-southeast-2" => "tds-vpc.ap-southeast-2.aliyuncs.com",
        _ => return None,
    };
    Some(Site {
        host: host.to_owned(),
        ..site(region)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_nine_regions_share_two_centres() {
        assert_eq!(regions().len(), 39);
        let host = |region| site(region).unwrap().host;
        assert_eq!(host("cn-hongkong"), "tds.cn-shanghai.aliyuncs.com");
        assert_eq!(host("us-east-1"), "tds.ap-southeast-1.aliyuncs.com");
        assert_eq!(site("cn-nowhere"), None);
        assert_eq!(
            vpc_site("cn-hongkong").unwrap().host,
            "tds.vpc-proxy.aliyuncs.com"
        );
        assert_eq!(vpc_site("us-west-1").unwrap().centre, "ap-southeast-1");
        assert_eq!(vpc_site("cn-qingdao"), None);
        assert!(regions().iter().all(|region| site(region).is_some()));
    }
}
