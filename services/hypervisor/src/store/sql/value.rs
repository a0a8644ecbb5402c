//! How our types stand in columns, whatever the engine.

use crate::access::Access;
use crate::scope::Scopes;
use crate::store::{
    ArchiveState, ChangeKind, ChangeOutcome, MoveState, Outcome, SessionKind, StoreError,
};
use crate::timestamp::Timestamp;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a column has. An engine that has no type for one gives what it keeps it as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

/// What can be a column.
pub(in crate::store) trait ToValue {
    fn to_value(&self) -> Value;
}

/// What can be read from a column.
pub(in crate::store) trait FromValue: Sized {
    /// `None` if the column has something else.
    fn from_value(value: &Value) -> Option<Self>;
}

/// The values of a statement, in the order of their numbers.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::value::ToValue::to_value(&$value)),*][..]
    };
}
pub(in crate::store) use params;

/// A row that was found.
#[derive(Debug)]
pub(in crate::store) struct Row(pub(in crate::store) Vec<Value>);

impl Row {
    /// The column of this number, beginning with 0.
    pub(in crate::store) fn get<T: FromValue>(&self, column: usize) -> Result<T, StoreError> {
        let value = self.0.get(column).unwrap_or(&Value::Null);
        T::from_value(value)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} has {value:?}")))
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (*self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// Types that one kind of value is enough for.
macro_rules! kept_as {
    ($type:ty, |$this:ident| $to:expr, { $($pattern:pat => $from:expr),+ $(,)? }) => {
        impl ToValue for $type {
            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }

        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $($pattern => $from,)+
                    _ => None,
                }
            }
        }
    };
}

kept_as!(bool, |it| Value::Bool(*it), {
    Value::Bool(it) => Some(*it),
    Value::Int(it @ 0..=1) => Some(*it == 1),
});
kept_as!(i64, |it| Value::Int(*it), { Value::Int(it) => Some(*it) });
// Of what is counted there is never so much that the sign matters.
kept_as!(u64, |it| Value::Int(it.cast_signed()), { Value::Int(it) => Some(it.cast_unsigned()) });
kept_as!(u32, |it| Value::Int((*it).into()), { Value::Int(it) => u32::try_from(*it).ok() });
kept_as!(String, |it| Value::Text(it.clone()), { Value::Text(it) => Some(it.clone()) });
kept_as!(Vec<u8>, |it| Value::Bytes(it.clone()), { Value::Bytes(it) => Some(it.clone()) });
kept_as!([u8; 32], |it| Value::Bytes(it.to_vec()), {
    Value::Bytes(it) => it.as_slice().try_into().ok(),
});
kept_as!(Uuid, |it| Value::Uuid(*it), {
    Value::Uuid(it) => Some(*it),
    Value::Bytes(it) => Self::from_slice(it).ok(),
});
kept_as!(Timestamp, |it| Value::Int(it.millis()), {
    Value::Int(it) => Some(Self::from_millis(*it)),
});
kept_as!(Scopes, |it| Value::Text(it.to_string()), { Value::Text(it) => Self::parse(it) });

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

/// Types that are kept as the word that JSON has for them, too.
macro_rules! kept_as_words {
    ($($type:ty),+) => {
        $(kept_as!($type, |it| word(it), { Value::Text(it) => of_word(it) });)+
    };
}

kept_as_words!(
    SessionKind,
    Access,
    Outcome,
    ArchiveState,
    ChangeKind,
    ChangeOutcome,
    MoveState
);

fn word(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Value::Text(word),
        _ => unreachable!("a variant without fields is a word"),
    }
}

fn of_word<'w, T: Deserialize<'w>>(word: &'w str) -> Option<T> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(word)).ok()
}
