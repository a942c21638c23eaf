//! The URL of a table.

mod name;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::DatabaseError;
pub use name::TableName;

const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
/// Where a server listens, if nothing is said.
const POSTGRES_PORT: u16 = 5432;
const POSTGRES_FORM: &str = "expected postgres://user:password@host:port/database/table, with \
     schema.table for a table of a schema, or …/database?table=schema.table";
const SQLITE_FORM: &str = "expected sqlite:path/to/file.db/table (the file ends in .db, .sqlite or \
     .sqlite3), or sqlite:path/to/file?table=table";

/// Whether a URL is for [`DatabaseTarget::parse`].
pub fn is_database(url: &str) -> bool {
    let scheme = |prefix: &str| {
        url.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    POSTGRES.into_iter().any(scheme) || scheme("sqlite:")
}

/// A table of a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresTarget {
    pub(crate) config: Config,
    pub(crate) table: TableName,
    /// The URL without table and password.
    shown: String,
}

/// A table of a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteTarget {
    pub(crate) path: PathBuf,
    pub(crate) table: String,
}

/// A table of a database.
///
/// | URL | table |
/// |---|---|
/// | `postgres://user:password@host:5432/database/table` | `table`, as the search path finds it |
/// | `postgres://host/database/schema.table` | `table` of `schema` |
/// | `postgres://host/database?table=schema.table&connect_timeout=5` | the same; other parameters go to the driver |
/// | `postgres:///database/table?host=/run/postgresql` | by a socket in this folder |
/// | `sqlite:path/to/file.db/table` | the part after a name ending in `.db`, `.sqlite` or `.sqlite3` |
/// | `sqlite:path/to/any?table=table` | |
///
/// `postgresql://` and `sqlite://` are the same. A part in double quotes is one name: `"a.b"`.
#[derive(Debug, Clone)]
pub enum DatabaseTarget {
    /// Of a PostgreSQL server.
    Postgres(Box<PostgresTarget>),
    /// Of a SQLite file.
    Sqlite(SqliteTarget),
}

impl DatabaseTarget {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`DatabaseError::Target`] that says what form is expected. It does not show the password.
    pub fn parse(url: &str) -> Result<Self, DatabaseError> {
        if !is_database(url) {
            return Err(wrong(url, "is no postgres:// or sqlite: URL"));
        }
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        if scheme.eq_ignore_ascii_case("sqlite") {
            return SqliteTarget::parse(url, rest).map(Self::Sqlite);
        }
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let target = PostgresTarget::parse(url, rest)?;
        Ok(Self::Postgres(Box::new(target)))
    }

    /// The table's name, with its schema if one was given.
    pub fn table(&self) -> String {
        match self {
            Self::Postgres(target) => target.table.to_string(),
            Self::Sqlite(target) => target.table.clone(),
        }
    }

    /// Whether both are tables of one SQLite file.
    pub fn shares_file_with(&self, other: &Self) -> bool {
        let (Self::Sqlite(own), Self::Sqlite(other)) = (self, other) else {
            return false;
        };
        own.path == other.path || own.file().is_some_and(|own| other.file() == Some(own))
    }

    /// Whether both are one table, as far as their URLs tell.
    pub fn is_same_table(&self, other: &Self) -> bool {
        match (self, other) {
            // (SQLite knows its tables by names in any case.)
            (Self::Sqlite(own), Self::Sqlite(theirs)) => {
                own.table.eq_ignore_ascii_case(&theirs.table) && self.shares_file_with(other)
            }
            (Self::Postgres(own), Self::Postgres(theirs)) => {
                let ports = |config: &Config| match config.get_ports() {
                    [] => vec![POSTGRES_PORT],
                    ports => ports.to_vec(),
                };
                let (table, own, theirs) = (own.table == theirs.table, &own.config, &theirs.config);
                table
                    && own.get_hosts() == theirs.get_hosts()
                    && own.get_hostaddrs() == theirs.get_hostaddrs()
                    && ports(own) == ports(theirs)
                    && own.get_dbname() == theirs.get_dbname()
            }
            _ => false,
        }
    }

    /// `postgres` or `sqlite`.
    pub fn format(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }
}

impl FromStr for DatabaseTarget {
    type Err = DatabaseError;

    fn from_str(url: &str) -> Result<Self, DatabaseError> {
        Self::parse(url)
    }
}

impl fmt::Display for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(target) => target.fmt(f),
            Self::Sqlite(target) => target.fmt(f),
        }
    }
}

impl PostgresTarget {
    fn parse(url: &str, rest: &str) -> Result<Self, DatabaseError> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // As the driver does: what stands before an @ is user and password, slashes and all.
        let at = place.find('@').map_or(0, |at| at + 1);
        let slash = place[at..]
            .find('/')
            .map_or(place.len(), |slash| at + slash);
        let (authority, path) = place.split_at(slash);
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let database = parts.next().unwrap_or_default();
        let mut table = parts.next().filter(|table| !table.is_empty());
        let (mut options, mut shown_options) = (Vec::new(), Vec::new());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("table", _)) if table.is_some() => {
                    return Err(wrong(url, "names a table twice"));
                }
                Some(("table", name)) => table = Some(name),
                Some(("password", _)) => options.push(option),
                _ => {
                    options.push(option);
                    shown_options.push(option);
                }
            }
        }
        let named = table.ok_or_else(|| wrong(url, format!("names no table: {POSTGRES_FORM}")))?;
        let table = percent_decode_str(named)
            .decode_utf8()
            .ok()
            .and_then(|name| TableName::parse(&name))
            .ok_or_else(|| {
                wrong(
                    url,
                    format!("has no name of a table in '{named}': {POSTGRES_FORM}"),
                )
            })?;
        if database.is_empty() {
            return Err(wrong(url, format!("names no database: {POSTGRES_FORM}")));
        }
        let query = |options: &[&str]| match options.is_empty() {
            true => String::new(),
            false => format!("?{}", options.join("&")),
        };
        let driver = format!("postgres://{authority}/{database}{}", query(&options));
        let mut config = Config::from_str(&driver).map_err(|source| DatabaseError::Target {
            url: without_password(url),
            problem: format!("the driver does not take it: {POSTGRES_FORM}"),
            source: Some(source),
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            let problem = "sslmode=require asks for TLS, which Biotide does not speak: go through a tunnel or a \
                           socket, without this parameter";
            return Err(wrong(url, problem));
        }
        if config.get_application_name().is_none() {
            config.application_name("biotide");
        }
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let user = user.split(':').next().unwrap_or_default();
        let user = if user.is_empty() {
            String::new()
        } else {
            format!("{user}@")
        };
        Ok(Self {
            config,
            table,
            shown: format!(
                "postgres://{user}{hosts}/{database}{}",
                query(&shown_options)
            ),
        })
    }
}

impl fmt::Display for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown.split_once('?') {
            Some((place, options)) => write!(f, "{place}/{}?{options}", self.table),
            None => write!(f, "{}/{}", self.shown, self.table),
        }
    }
}

impl SqliteTarget {
    fn parse(url: &str, rest: &str) -> Result<Self, DatabaseError> {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (path, table) = match query.split_once('=') {
            Some(("table", table)) if !table.contains('&') => (path, table),
            None if query.is_empty() => {
                let (file, table) = path.rsplit_once('/').unwrap_or((path, ""));
                let name = file.to_ascii_lowercase();
                let is_file = [".db", ".sqlite", ".sqlite3"]
                    .iter()
                    .any(|end| name.ends_with(end));
                if !is_file {
                    return Err(wrong(url, format!("names no table: {SQLITE_FORM}")));
                }
                (file, table)
            }
            _ => {
                let problem = format!("SQLite takes no parameter but table: {SQLITE_FORM}");
                return Err(wrong(url, problem));
            }
        };
        let table = percent_decode_str(table).decode_utf8().unwrap_or_default();
        if path.is_empty() || table.is_empty() {
            return Err(wrong(
                url,
                format!("names no file or no table: {SQLITE_FORM}"),
            ));
        }
        Ok(Self {
            path: Path::new(path).to_owned(),
            table: table.into_owned(),
        })
    }

    /// The file, however its path is written.
    fn file(&self) -> Option<PathBuf> {
        let real = self.path.canonicalize().ok();
        real.or_else(|| {
            let path = std::path::absolute(&self.path).ok()?;
            let folder = path.parent()?.canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        })
    }
}

impl fmt::Display for SqliteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}?table={}", self.path.display(), self.table)
    }
}

fn wrong(url: &str, problem: impl Into<String>) -> DatabaseError {
    DatabaseError::Target {
        url: without_password(url),
        problem: problem.into(),
        source: None,
    }
}

/// A URL as messages may show it, whatever is wrong with it.
fn without_password(url: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut shown = match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, _)), Some((user, hosts))) => {
            let user = user.get(scheme.len() + 3..).unwrap_or_default();
            format!(
                "{scheme}://{}@{hosts}",
                user.split(':').next().unwrap_or_default()
            )
        }
        _ => place.to_owned(),
    };
    let mut separator = '?';
    for option in query.split('&').filter(|option| !option.is_empty()) {
        if !option.starts_with("password=") {
            shown.push(separator);
            shown.push_str(option);
            separator = '&';
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::config::Host;

    fn postgres(url: &str) -> PostgresTarget {
        match DatabaseTarget::parse(url).unwrap() {
            DatabaseTarget::Postgres(target) => *target,
            DatabaseTarget::Sqlite(_) => panic!("{url} is no SQLite"),
        }
    }

    #[test]
    fn postgres_urls() {
        let target = postgres("postgres://me:se%2Fcret@db.org:5433/bio/genes");
        assert_eq!(target.config.get_user(), Some("me"));
        assert_eq!(target.config.get_password(), Some(&b"se/cret"[..]));
        assert_eq!(target.config.get_ports(), [5433]);
        assert_eq!(target.config.get_dbname(), Some("bio"));
        assert_eq!(target.table.quoted(), "\"genes\"");
        assert_eq!(target.to_string(), "postgres://me@db.org:5433/bio/genes");

        let target = postgres("postgresql://me@db.org/bio/ref.genes");
        assert_eq!(target.table.quoted(), "\"ref\".\"genes\"");
        let target =
            postgres("postgres://me@db.org/bio?table=ref.genes&connect_timeout=5&password=x");
        assert_eq!(target.table.to_string(), "ref.genes");
        assert_eq!(
            target.config.get_connect_timeout().map(|t| t.as_secs()),
            Some(5)
        );
        let shown = target.to_string();
        assert_eq!(
            shown,
            "postgres://me@db.org/bio/ref.genes?connect_timeout=5"
        );
        let again = postgres(&shown);
        assert_eq!(again.table, target.table);
        let target = postgres("postgres:///bio/t?host=/run/postgresql&user=me");
        assert_eq!(
            target.config.get_hosts(),
            [Host::Unix("/run/postgresql".into())]
        );
        let target = postgres("postgres://h/bio/%22a.b%22");
        assert_eq!(target.table.table, "a.b");
        assert_eq!(target.table.schema, None);
    }

    #[test]
    fn sqlite_urls() {
        for (url, path, table) in [
            ("sqlite:a/b.db/genes", "a/b.db", "genes"),
            ("sqlite:///a/b.SQLite3/genes", "/a/b.SQLite3", "genes"),
            ("sqlite://a.sqlite/my%20genes", "a.sqlite", "my genes"),
            ("sqlite:a/b?table=t.u", "a/b", "t.u"),
        ] {
            let DatabaseTarget::Sqlite(target) = DatabaseTarget::parse(url).unwrap() else {
                panic!("{url}");
            };
            assert_eq!(target.path, Path::new(path));
            assert_eq!(target.table, table);
            let shown = target.to_string();
            let DatabaseTarget::Sqlite(again) = DatabaseTarget::parse(&shown).unwrap() else {
                panic!("{shown}");
            };
            assert_eq!(again, target);
        }
    }

    #[test]
    fn one_table_may_have_several_urls() {
        let is_same = |a: &str, b: &str| {
            let [a, b] = [a, b].map(|url| DatabaseTarget::parse(url).unwrap());
            a.is_same_table(&b) && b.is_same_table(&a)
        };
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().display();
        for (a, b, expected) in [
            (
                "postgres://me:x@h/bio/t",
                "postgresql://you@h:5432/bio?table=t",
                true,
            ),
            ("postgres://h/bio/t", "postgres://h/bio/ref.t", false),
            ("postgres://h/bio/t", "postgres://h:1/bio/t", false),
            ("postgres://h/bio/t", "sqlite:h.db/t", false),
            ("sqlite:h.db/t", "sqlite:h.db/u", false),
        ] {
            assert_eq!(is_same(a, b), expected, "{a} {b}");
        }
        // (There is no such file yet.)
        let (a, b) = (
            format!("sqlite:{folder}/o.db/t"),
            format!("sqlite:{folder}/./o.db?table=T"),
        );
        assert!(is_same(&a, &b));
    }

    #[test]
    fn mistakes_name_the_form_and_no_password() {
        for url in [
            "postgres://me:secret@h/bio",
            "postgres://me:secret@h",
            "postgres://me:secret@h/bio/a.b.c",
            "postgres://me:secret@h/bio/t?sslrootcert=x&password=secret",
            "postgres://me:secret@h:port/bio/t",
            "postgres://me:secret@h/bio/t?sslmode=require",
            "postgres://me:secret@h/bio/t?table=u",
            "sqlite:file/t",
            "sqlite:file.db/",
            "sqlite:file.db/t?mode=ro",
            "mysql://me:secret@h/b/t",
        ] {
            let error = DatabaseTarget::parse(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret"), "{shown}");
            assert!(!error.is_retriable());
        }
        let target = DatabaseTarget::parse("postgres://me:secret@h/bio/t").unwrap();
        assert!(!format!("{target} {target:?}").contains("secret"));
        assert!(
            is_database("SQLite:x.db/t") && is_database("postgresql://x") && !is_database("a.tsv")
        );
    }
}
