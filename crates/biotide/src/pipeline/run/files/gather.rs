//! What the steps of a pipeline read and write.

use biotide_common::options::RejectFile;
use biotide_database::{DatabaseTarget, is_database};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, dialect_from_str};

use super::super::{RunOptions, cache};
use super::location::{Location, is_file};
use super::named::{has_word, tables_of, tables_of_sources, texts};
use super::{Files, How, Named, Said, Table, Use, Written, who};
use crate::context::BiotideContext;
use crate::pipeline::actions::Kind;
use crate::pipeline::compile::key_of;
use crate::pipeline::spec::{Pipeline, Step};

impl<'a> Files<'a> {
    /// Those of the steps that run, of the reject log and of the report.
    pub(in super::super) fn of(
        context: &BiotideContext,
        pipeline: &'a Pipeline,
        options: &RunOptions,
    ) -> Self {
        let state = context.session().state();
        let dialect = state.config_options().sql_parser.dialect;
        let dialect = dialect_from_str(dialect).unwrap_or_else(|| Box::new(GenericDialect {}));
        let mut gatherer = Gatherer::new(pipeline, &*dialect);
        for (n, step) in pipeline.running().enumerate() {
            gatherer.add(n + 1, step);
        }
        let rejects = context.options().rejects;
        gatherer.add_rejects(rejects.as_ref(), pipeline);
        if let Some(report) = &options.report {
            let path = report.display().to_string();
            let who = "the report of the run (--report)";
            gatherer.write(0, who, &path, How::Anytime, Said::Report);
        }
        gatherer.files
    }
}

/// A pipeline, read step by step.
struct Gatherer<'a, 'd> {
    files: Files<'a>,
    dialect: &'d dyn Dialect,
    /// Of each mapping and of each dataset until now, the places in `files.reads` of what it is made of.
    mappings: Vec<(&'a str, Vec<usize>)>,
    datasets: Vec<(String, Vec<usize>)>,
}

impl<'a, 'd> Gatherer<'a, 'd> {
    fn new(pipeline: &'a Pipeline, dialect: &'d dyn Dialect) -> Self {
        let mut own = Self {
            files: Files {
                pipeline: Location::of(&pipeline.file),
                reads: Vec::new(),
                writes: Vec::new(),
                tables: Vec::new(),
                uses: Vec::new(),
            },
            dialect,
            mappings: Vec::new(),
            datasets: Vec::new(),
        };
        for (name, source) in &pipeline.mappings {
            let who = format!("the mapping {name} ({})", source.place.short());
            let named = match source.value.contains('(') {
                true => tables_of_sources(&source.value, dialect),
                false => vec![source.value.clone()],
            };
            let named = named.iter().filter(|named| is_file(named));
            let reads: Vec<usize> = named.filter_map(|path| own.read(0, &who, path)).collect();
            own.mappings.push((name.as_str(), reads));
        }
        own
    }

    fn add(&mut self, at: usize, step: &'a Step) {
        let who = who(step);
        let mut reads = self.read_by(at, step, &who);
        if looks(step) {
            self.add_written(at, step, &who);
            self.files.uses.push(Use {
                at,
                who,
                reads: reads.clone(),
            });
        }
        // (What is kept is read from its own file.)
        if step.action.name == "cache" {
            reads.clear();
        }
        if step.action.param("output").is_some() {
            let key = key_of(step);
            self.datasets.retain(|(known, _)| *known != key);
            self.datasets.push((key, reads));
        }
    }

    /// What a step reads by itself, and what its datasets and mappings are made of.
    fn read_by(&mut self, at: usize, step: &Step, who: &str) -> Vec<usize> {
        let params = &step.params;
        let mut reads: Vec<usize> = Vec::new();
        // (Their paths are where they write.)
        let writes = looks(step);
        for param in step.action.params {
            let texts = params.texts(param.name);
            match param.kind {
                Kind::Path | Kind::Paths if !writes => {
                    reads.extend(texts.iter().filter_map(|path| self.read(at, who, path)));
                }
                // (They may be built in.)
                Kind::Rules => {
                    let files = texts.iter().filter(|path| is_file(path));
                    reads.extend(files.filter_map(|path| self.read(at, who, path)));
                }
                Kind::Dataset if texts.is_empty() => {
                    let last = self.datasets.last();
                    reads.extend(last.into_iter().flat_map(|(_, reads)| reads));
                }
                Kind::Dataset | Kind::Datasets => {
                    reads.extend(texts.iter().flat_map(|name| self.dataset(name)));
                }
                _ => {}
            }
        }
        let given = params.given();
        let mut said = Vec::new();
        texts(&given, &mut said);
        for text in &said {
            for (name, of_mapping) in &self.mappings {
                if has_word(text, name) {
                    reads.extend(of_mapping);
                }
            }
            for table in tables_of(text, self.dialect) {
                reads.extend(self.dataset(&table));
                if is_file(&table) {
                    reads.extend(self.read(at, who, &table));
                }
            }
        }
        // A file of mappings has the place of a name of one.
        if step.action.name == "cross_reference"
            && let Some(path) = params.text("mapping").filter(|path| is_file(path))
        {
            reads.extend(self.read(at, who, path));
        }
        reads
    }

    /// What a dataset is made of.
    fn dataset(&self, name: &str) -> Vec<usize> {
        let mut datasets = self.datasets.iter();
        let found = datasets.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or_else(Vec::new, |(_, reads)| reads.clone())
    }

    /// Notes a file that is read, and tells its place.
    fn read(&mut self, at: usize, who: &str, path: &str) -> Option<usize> {
        if is_database(path) {
            return None;
        }
        let file = named(at, who, path)?;
        self.files.reads.push(file);
        Some(self.files.reads.len() - 1)
    }

    fn add_written(&mut self, at: usize, step: &'a Step, who: &str) {
        let params = &step.params;
        let replaces = step.action.name == "sink" && params.text("mode") == Some("replace");
        let (name, how) = match step.action.name {
            "sink" => ("to", How::Sink { replaces }),
            "report" => ("path", How::Report),
            "validate" => ("report_path", How::Report),
            _ => ("path", How::Anytime),
        };
        let Some(path) = params.text(name) else {
            return;
        };
        if name == "to" && is_database(path) {
            // (What is wrong with a URL is told when the step is looked at.)
            let target = DatabaseTarget::parse(path).ok();
            self.files.tables.extend(target.map(|target| Table {
                target,
                replaces,
                step,
            }));
            return;
        }
        let said = Said::Param(step, name);
        self.write(at, who, path, how, said);
        if step.action.name == "cache" {
            for beside in cache::beside(path) {
                self.write(at, who, &beside, how, said);
            }
        }
    }

    /// The reject log: where the session says, and else where the pipeline does.
    fn add_rejects(&mut self, session: Option<&RejectFile>, pipeline: &'a Pipeline) {
        let own = pipeline.streaming.error_handling.error_output_path.as_ref();
        match (session, own) {
            (Some(file), _) => {
                let who = "the reject log (--rejects)";
                self.write(0, who, file.path(), How::Anytime, Said::Rejected);
            }
            (None, Some(file)) => {
                let who = format!("error_output_path ({})", file.place.short());
                let said = Said::Rejects(&file.place);
                self.write(0, &who, file.value.path(), How::Anytime, said);
            }
            (None, None) => {}
        }
    }

    fn write(&mut self, at: usize, who: &str, path: &str, how: How, said: Said<'a>) {
        let file = named(at, who, path);
        let written = file.map(|file| Written { file, how, said });
        self.files.writes.extend(written);
    }
}

/// Whether a step looks at all rows when it runs.
fn looks(step: &Step) -> bool {
    matches!(step.action.name, "sink" | "report" | "validate" | "cache")
}

fn named(at: usize, who: &str, path: &str) -> Option<Named> {
    Some(Named {
        location: Location::of(path)?,
        path: path.to_owned(),
        who: who.to_owned(),
        at,
    })
}
