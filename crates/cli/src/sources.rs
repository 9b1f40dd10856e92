//! Where a value is from: the flag, else its variable.

use std::ffi::OsString;

use crate::arguments::variable;

/// The environment, for the flags that were not given.
pub struct Sources<E> {
    environment: E,
}

/// A value, and where it is from.
struct Given {
    value: OsString,
    origin: String,
}

impl<E: Fn(&str) -> Option<OsString>> Sources<E> {
    pub fn new(environment: E) -> Sources<E> {
        Sources { environment }
    }

    /// A flag's value, else that of its variable. An empty variable is one that is not set, as in many a container's
    /// configuration.
    fn given(&self, flag: &str, typed: Option<OsString>) -> Option<Given> {
        if let Some(value) = typed {
            return Some(Given { value, origin: format!("--{flag} ") });
        }
        let variable = variable(flag);
        let value = (self.environment)(&variable).filter(|value| !value.is_empty())?;
        Some(Given { value, origin: format!("{variable}=") })
    }

    /// The value of a flag that may be given once.
    pub fn one<T>(
        &self,
        flag: &str,
        typed: Option<OsString>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.given(flag, typed).map(|given| given.parse(parse)).transpose()
    }

    /// The values of a flag that adds up, else those of its variable's list.
    pub fn several<T>(
        &self,
        flag: &str,
        typed: Vec<OsString>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        if typed.is_empty() {
            let list = |text: &str| text.split(',').map(|one| parse(one.trim())).collect();
            return Ok(self.one(flag, None, list)?.unwrap_or_default());
        }
        let values = typed.into_iter().map(|value| self.one(flag, Some(value), &parse));
        Ok(values.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// A flag that takes no value; its variable says true or false.
    pub fn switch(&self, flag: &str, typed: bool) -> Result<bool, String> {
        Ok(typed || self.one(flag, None, parse_switch)?.unwrap_or(false))
    }

    /// Whether a service manager hands sockets over to this process (sd_listen_fds(3)).
    pub fn has_sockets(&self) -> bool {
        let set = |name: &str| (self.environment)(name).filter(|value| !value.is_empty());
        set("LISTEN_PID").is_some_and(|id| id.to_str() == Some(&std::process::id().to_string()))
            && set("LISTEN_FDS").is_some_and(|count| count != "0")
    }
}

impl Given {
    fn parse<T>(&self, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        let text = self.value.to_str().ok_or_else(|| "this is not UTF-8".to_owned());
        text.and_then(parse).map_err(|why| format!("{}{}: {why}", self.origin, self.value.to_string_lossy()))
    }
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}
