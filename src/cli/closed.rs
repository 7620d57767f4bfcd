//! Flags whose values are a closed list: taken in any case and with `_` for `-`; a mistake is told the list and the
//! nearest. Every such flag is declared with `ignore_case`.

use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::nearest::fold;

/// The parser of a list of names, which gives the name as it is listed.
pub fn names(
    known: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = String> {
    let value = |name: &'static str| match name.contains('-') {
        true => PossibleValue::new(name).alias(name.replace('-', "_")),
        false => PossibleValue::new(name),
    };
    PossibleValuesParser::new(known.into_iter().map(value)).map(|text| fold(&text))
}

/// The same, for what has these names.
pub fn named<T>(known: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    names(known).try_map(|name| name.parse::<T>())
}
