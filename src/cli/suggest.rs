//! Did you mean, for operations that were typed without their cloud or with their API name in other letters. clap itself
//! finds what is like a command in the place where it was typed.

use clap::error::{ContextKind, ContextValue};

use crate::nearest::{fold, nearest};
use crate::provider;

/// Adds to clap's error about an unknown command the operation that was meant.
pub fn operation(error: &mut clap::Error) {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let similar = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(similar)) => similar.clone(),
        Some(ContextValue::String(similar)) => vec![similar.clone()],
        _ => Vec::new(),
    };
    let names: Vec<_> = provider::operations()
        .flat_map(|(provider, entry)| {
            [entry.meta.api, entry.meta.command].map(|name| (provider.id, name))
        })
        .collect();
    let wanted = fold(typed);
    let exact = names.iter().filter(|(_, name)| fold(name) == wanted);
    let whole = |(cloud, name): &(&str, &str)| format!("{cloud} {name}");
    let mut meant: Vec<_> = exact.map(whole).collect();
    if meant.is_empty() && similar.is_empty() {
        let near = nearest(typed, names.iter().map(|(_, name)| *name));
        meant.extend(
            names
                .iter()
                .filter(|(_, name)| Some(*name) == near)
                .map(whole),
        );
    }
    meant.extend(similar);
    if !meant.is_empty() {
        let meant = ContextValue::Strings(meant);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
}
