//! An operation is a value: its fields are the flags, its serde form is the request, its [`Operation::Item`] the answer.
//!
//! [`Entry`] is that value's type turned into plain data, so that one static list of operations can feed everything
//! else: the command tree, paging, the unified task, every output format, the sandbox and the tests.

pub mod choice;
pub mod column;
pub mod lenient;
pub mod mend;
pub mod narrow;
pub mod page;

use chrono::{DateTime, Utc};
use clap::{ArgMatches, Args, Command};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::task::Facts;
use crate::task::details::Details;
use column::{Cell, Column};
use narrow::Narrow;

/// The parameters of one query, by the API's own names.
pub type Params = Map<String, Value>;

/// An operation of a cloud's API. To add one, implement this in a file of its own and list it beside its neighbours.
pub trait Operation: Args + Serialize + Sized + 'static {
    /// The wire type of one item: every documented field, each optional. It serialises to the same names, and borrows its
    /// texts from the page.
    type Item<'a>: Serialize + Deserialize<'a>;

    /// What is known of the operation as a whole.
    const META: &'static Meta;

    /// What tables show, most important first.
    const COLUMNS: &'static [Column<Self>];

    /// What an item says of its task.
    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a>;

    /// What an item says of the parts of its task.
    fn details(_item: &Self::Item<'_>) -> Option<Details> {
        None
    }

    /// Checks the values against each other and gives the queries to send: most operations send themselves, once.
    ///
    /// # Errors
    /// A usage error, if the values don't go together.
    fn queries(self) -> Result<Vec<Self>, Error> {
        Ok(vec![self])
    }
}

/// An item with the facts that were read from it.
pub struct Row<'a, T: Operation> {
    /// The typed item.
    pub item: T::Item<'a>,
    /// The same, normalised.
    pub facts: Facts<'a>,
}

/// What is known of an operation as a whole.
#[derive(Debug)]
pub struct Meta {
    /// Its readable name: `scanq aliyun <command>`.
    pub command: &'static str,
    /// Its documented name, which is an alias.
    pub api: &'static str,
    /// The version of the API.
    pub version: &'static str,
    /// Its path; `{project_id}` stands for the project. RPC operations all have `/`.
    pub path: &'static str,
    /// First line of its help: imperative, no period.
    pub about: &'static str,
    /// The permission that the caller needs.
    pub permission: &'static str,
    /// Its documentation page.
    pub doc: &'static str,
    /// Where the items are.
    pub items: Items,
    /// The field that tells one item from another.
    pub id: &'static str,
    /// How it pages, if it does.
    pub paging: Option<Paging>,
    /// The parameters that bound the time of a task, in milliseconds since the epoch: from, to.
    pub period: Option<(&'static str, &'static str)>,
    /// Parameters without which the service refuses the request.
    pub required: &'static [&'static str],
    /// Which field of an item each filtering parameter looks at.
    pub filters: &'static [Filter],
    /// What it can be asked for in normalised terms.
    pub narrow: Narrow,
    /// What an item looks like in each stage of its life.
    pub lifecycle: Lifecycle,
    /// The documented sample answers.
    pub samples: &'static [Sample],
    /// What it is used for: two command lines, one of them on the sandbox.
    pub examples: &'static [Example],
}

impl Meta {
    /// Sets the parameters that bound the time of a task, where the operation has them.
    pub fn ask_period(
        &self,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        params: &mut Params,
    ) {
        if let Some((from, to)) = self.period {
            for (name, time) in [(from, since), (to, until)] {
                params.extend(time.map(|time| (name.to_owned(), time.timestamp_millis().into())));
            }
        }
    }
}

/// A command line that can be run as it stands.
#[derive(Debug)]
pub struct Example {
    /// What it is for.
    pub purpose: &'static str,
    /// The line. One that is long goes on after a backslash.
    pub line: &'static str,
}

/// Shorthand for an [`Example`].
pub const fn example(purpose: &'static str, line: &'static str) -> Example {
    Example { purpose, line }
}

/// Where an answer has its items.
#[derive(Debug, Clone, Copy)]
pub enum Items {
    /// In a list under this key.
    List {
        /// The key.
        key: &'static str,
        /// Where the total stands.
        total: Total,
    },
    /// The whole document is the one item.
    Document,
}

/// Where the number of all items stands.
#[derive(Debug, Clone, Copy)]
pub enum Total {
    /// In Alibaba Cloud's `PageInfo` object.
    PageInfo,
    /// Under this key of the document.
    Key(&'static str),
}

/// How an operation pages.
#[derive(Debug)]
pub struct Paging {
    /// What a page is asked for by.
    pub cursor: Cursor,
    /// Smallest page size that the service takes.
    pub min_size: u32,
    /// Largest page size that the documentation allows, if it names one.
    pub max_size: Option<u32>,
    /// The page size used when the user names none: the largest that is safe.
    pub default_size: u32,
}

/// What a page is asked for by.
#[derive(Debug)]
pub enum Cursor {
    /// A page number that starts at 1, and a page size.
    Number {
        /// Parameter for the page number.
        page: &'static str,
        /// Parameter for the page size.
        size: &'static str,
    },
    /// The position of the first item, and how many.
    Offset {
        /// Parameter for the position.
        offset: &'static str,
        /// Parameter for the page size.
        limit: &'static str,
        /// The largest position that the service takes.
        max_offset: u64,
    },
}

impl Paging {
    /// Sets the parameters that ask for the page of `size` items that starts at item `offset`.
    ///
    /// `offset` is a multiple of `size` wherever the cursor is a page number.
    pub fn ask(&self, params: &mut Params, offset: u64, size: u32) {
        match self.cursor {
            Cursor::Number { page, size: by } => {
                params.insert(page.into(), (offset / u64::from(size) + 1).into());
                params.insert(by.into(), size.into());
            }
            Cursor::Offset {
                offset: from,
                limit,
                ..
            } => {
                params.insert(from.into(), offset.into());
                params.insert(limit.into(), size.into());
            }
        }
    }

    /// The parameters that [`Paging::ask`] sets.
    pub fn params(&self) -> [&'static str; 2] {
        match self.cursor {
            Cursor::Number { page, size } => [page, size],
            Cursor::Offset { offset, limit, .. } => [offset, limit],
        }
    }

    /// # Errors
    /// A usage error, if the service would refuse a page size.
    pub fn check_size(&self, size: u32) -> Result<(), Error> {
        let range = match self.max_size {
            Some(max) if size > max || size < self.min_size => {
                format!("from {} to {max}", self.min_size)
            }
            None if size < self.min_size => format!("{} or more", self.min_size),
            _ => return Ok(()),
        };
        Err(Error::usage(
            "--page-size",
            format!("must be {range}: {size}"),
        ))
    }

    /// # Errors
    /// A usage error, if the service can't go that far.
    pub fn check_offset(&self, from: u64) -> Result<(), Error> {
        match self.cursor {
            Cursor::Offset {
                offset, max_offset, ..
            } if from > max_offset => Err(Error::usage(
                "page too far",
                format!("the service takes an {offset} of at most {max_offset}: {from}"),
            )),
            _ => Ok(()),
        }
    }
}

/// A parameter that narrows a listing, and the field of an item that it looks at.
#[derive(Debug)]
pub struct Filter {
    /// The parameter.
    pub param: &'static str,
    /// The field, with dots between levels.
    pub field: &'static str,
    /// How they are compared.
    pub test: Test,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The field is the value, or one of the values.
    Is,
    /// The field contains the value.
    Contains,
    /// The list field has all of the values.
    HasAll,
    /// The time in the field is not before the value (milliseconds).
    NotBefore,
    /// The time in the field is not after the value (milliseconds).
    NotAfter,
    /// Every item matches, but the field is left out when the value is false.
    Shown,
}

/// Shorthand for a [`Filter`].
pub const fn filter(param: &'static str, field: &'static str, test: Test) -> Filter {
    Filter { param, field, test }
}

/// What an item looks like in each stage of its life: JSON objects laid over the documented sample.
///
/// The sandbox makes its tasks from these, and each is a test of [`Operation::facts`].
#[derive(Debug)]
pub struct Lifecycle {
    /// Before it starts, where the API knows that.
    pub pending: Option<&'static str>,
    /// Under way.
    pub running: &'static str,
    /// The ways in which it ends, with the status that each means.
    pub ends: &'static [(&'static str, crate::task::Status)],
    /// The field that counts percent, if there is one.
    pub progress: Option<&'static str>,
    /// The fields of start and end.
    pub times: Option<Times>,
}

/// Where an item has its times.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Field of the start.
    pub start: &'static str,
    /// Field of the end.
    pub end: &'static str,
    /// Whether they are China-time text (`YYYY-MM-DD hh:mm:ss`); else milliseconds since the epoch.
    pub as_text: bool,
}

/// A documented sample answer.
#[derive(Debug)]
pub struct Sample {
    /// Only for requests in which this parameter has this value.
    pub when: Option<(&'static str, &'static str)>,
    /// The JSON document.
    pub body: &'static str,
}

/// An operation as plain data: what the static lists of the providers hold.
pub struct Entry {
    /// What is known of it.
    pub meta: &'static Meta,
    /// Names of its columns, and whether each is only for `-o wide`.
    pub columns: fn() -> Vec<(&'static str, bool)>,
    /// Adds its flags to a command.
    pub augment: fn(Command) -> Command,
    /// The queries that the flags ask for.
    pub queries: fn(&ArgMatches) -> Result<Vec<Params>, Error>,
    /// The typed view of one raw item.
    pub view: ViewOf,
}

/// How a raw item is read.
pub type ViewOf = for<'a> fn(&'a str) -> Result<Box<dyn View + 'a>, serde_json::Error>;

/// One item, typed, without its type.
pub trait View {
    /// The value of the column at this index of [`Entry::columns`].
    fn cell(&self, column: usize) -> Cell<'_>;
    /// What it says of its task.
    fn facts(&self) -> Facts<'static>;
    /// What it says of the parts of its task.
    fn details(&self) -> Option<Details>;
    /// The typed item as JSON: documented fields only.
    fn json(&self) -> Value;
}

impl<T: Operation> View for Row<'_, T> {
    fn cell(&self, column: usize) -> Cell<'_> {
        (T::COLUMNS[column].cell)(self)
    }

    fn facts(&self) -> Facts<'static> {
        self.facts.clone().into_owned()
    }

    fn details(&self) -> Option<Details> {
        T::details(&self.item)
    }

    fn json(&self) -> Value {
        serde_json::to_value(&self.item).expect("wire types serialise to JSON")
    }
}

impl Entry {
    /// The entry of an operation.
    pub const fn of<T: Operation>() -> Entry {
        Entry {
            meta: T::META,
            columns: || {
                let named = T::COLUMNS.iter().map(|column| (column.name, column.wide));
                named.collect()
            },
            augment: T::augment_args,
            queries: |matches| {
                let operation = T::from_arg_matches(matches)?;
                let params = |query: T| match serde_json::to_value(&query) {
                    Ok(Value::Object(mut params)) => {
                        params.retain(|_, value| !value.is_null());
                        Ok(params)
                    }
                    _ => unreachable!(
                        "an operation is a struct of flags, so its serde form is an object"
                    ),
                };
                operation.queries()?.into_iter().map(params).collect()
            },
            view: |raw| {
                let item = serde_json::from_str(raw)?;
                let facts = T::facts(&item);
                Ok(Box::new(Row::<T> { item, facts }))
            },
        }
    }
}
