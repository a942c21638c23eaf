//! An index in a file of its own (`CREATE MAPPING … STORED AS 'file'`).
//!
//! ```text
//! page 0     magic, version, where the tail is, checksums
//! pages 1…   the arrays, segment by segment
//! tail       a description (JSON), then the checksum of every page
//! ```
//!
//! Numbers are little endian. The same statements give the same file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::memory_pool::MemoryPool;
use serde::{Deserialize, Serialize};

use super::charge::Charge;
use super::lookup::{Arrays, Counts, Index};
use super::pages::{PAGE, Paged, Pages, checksum};
use super::record::{Record, get_all, put_all};
use super::section::{Scratch, Section, Segment};
use crate::mapping::dictionary::{Class, Prefix, Source, Vocabulary};

const MAGIC: &[u8; 8] = b"BIOTIDEX";
const VERSION: u32 = 2;
/// Bytes of page 0 that mean something.
const HEAD: usize = 48;
/// Of the pool, as a divisor, an index is held in memory if it takes no more.
const SHARE: usize = 2;
/// Records that are copied at a time.
const PIECE: usize = 1 << 14;

#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    bits: u32,
    shift: u32,
    bases: Vec<u32>,
    prefixes: Vec<String>,
    predicates: Vec<String>,
    sources: Vec<Source>,
    counts: Counts,
    /// What prefixes stand for, as the sources of its statements said.
    #[serde(default)]
    iris: BTreeMap<String, String>,
    /// Where each segment begins, and how many records it has.
    keys: Vec<(u64, usize)>,
    texts: Vec<(u64, usize)>,
    text: Vec<(u64, usize)>,
    offsets: Vec<(u64, usize)>,
    entries: Vec<(u64, usize)>,
    classes: (u64, usize),
}

/// Whether a file is an index.
pub(crate) fn is_index(path: &Path) -> bool {
    let mut magic = [0; 8];
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut magic).is_ok() && magic == *MAGIC)
}

/// Writes an index to a file, which has its name only when it is complete. `iris`: what
/// its prefixes stand for.
pub(crate) fn write(index: &Index, iris: &BTreeMap<String, String>, path: &Path) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let io = |error| BiotideError::io(format!("writing {}", path.display()), error);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".biotide-mapping-");
    // (As any file that is made, not for its owner alone.)
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let staged = builder.tempfile_in(folder).map_err(io)?;
    let file = staged.as_file();
    let mut out = Out {
        file: BufWriter::new(file),
        at: 0,
        page: Vec::with_capacity(PAGE),
        checksums: Vec::new(),
    };
    out.write(&[0; PAGE]).map_err(io)?;
    let keys = out.section(&index.arrays.keys, path)?;
    let texts = out.section(&index.arrays.texts, path)?;
    let text = out.section(&index.arrays.text, path)?;
    let offsets = out.section(&index.arrays.offsets, path)?;
    let entries = out.section(&index.arrays.entries, path)?;
    let vocabulary = &index.vocabulary;
    let classes = (out.at, vocabulary.classes.len());
    for classes in vocabulary.classes.chunks(PIECE) {
        let parts: Vec<[u32; 4]> = classes.iter().map(|class| class.to_parts()).collect();
        out.records(&parts).map_err(io)?;
    }
    let body_end = out.at;
    out.end_page();
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect();
    let tail = Tail {
        bits: index.arrays.bits,
        shift: index.arrays.shift,
        bases: index.arrays.bases.clone(),
        prefixes: names(&mut vocabulary.prefixes.iter().map(|prefix| &prefix.name)),
        predicates: names(
            &mut vocabulary
                .predicates
                .iter()
                .map(|predicate| &predicate.name),
        ),
        sources: vocabulary.sources.clone(),
        counts: index.counts,
        iris: iris.clone(),
        keys,
        texts,
        text,
        offsets,
        entries,
        classes,
    };
    let json =
        serde_json::to_vec(&tail).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(&json);
    let mut checksums = std::mem::take(&mut out.checksums);
    // (Page 0 has one of its own.)
    checksums[0] = 0;
    put_all(&checksums, &mut bytes);
    out.file.write_all(&bytes).map_err(io)?;
    let mut head = MAGIC.to_vec();
    put_all(&[VERSION, PAGE as u32], &mut head);
    put_all(&[body_end, bytes.len() as u64, checksum(&bytes)], &mut head);
    let own = checksum(&head);
    put_all(&[own], &mut head);
    out.file.seek(SeekFrom::Start(0)).map_err(io)?;
    out.file.write_all(&head).map_err(io)?;
    out.file.flush().map_err(io)?;
    drop(out);
    file.sync_all().map_err(io)?;
    staged.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Writes pages, and their checksums.
struct Out<'a> {
    file: BufWriter<&'a File>,
    at: u64,
    page: Vec<u8>,
    checksums: Vec<u64>,
}

impl Out<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - self.page.len()));
            self.page.extend_from_slice(now);
            bytes = later;
            if self.page.len() == PAGE {
                self.end_page();
            }
        }
        Ok(())
    }

    fn end_page(&mut self) {
        if !self.page.is_empty() {
            self.checksums.push(checksum(&self.page));
            self.page.clear();
        }
    }

    fn records<R: Record>(&mut self, records: &[R]) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        put_all(records, &mut bytes);
        self.write(&bytes)
    }

    fn section<R: Record>(
        &mut self,
        section: &Section<R>,
        path: &Path,
    ) -> Result<Vec<(u64, usize)>> {
        let mut scratch = Scratch::default();
        let mut places = Vec::with_capacity(section.segments.len());
        for segment in 0..section.segments.len() {
            let n = section.len(segment);
            places.push((self.at, n));
            for start in (0..n).step_by(PIECE) {
                let records = section.read(segment, start..(start + PIECE).min(n), &mut scratch)?;
                self.records(records).map_err(|error| {
                    BiotideError::io(format!("writing {}", path.display()), error)
                })?;
            }
        }
        Ok(places)
    }
}

/// What stands at both ends of an index.
struct Ends {
    file: File,
    tail: Tail,
    checksums: Vec<u64>,
    body_end: u64,
}

fn ends(path: &Path) -> Result<Ends> {
    let name = path.display().to_string();
    let io = |error| BiotideError::io(format!("reading {name}"), error);
    let bad = |problem: &str| {
        BiotideError::file(
            &name,
            format!("it {problem}; make it anew with CREATE MAPPING … STORED AS"),
        )
    };
    let mut file = File::open(path).map_err(io)?;
    let mut head = [0; HEAD];
    file.read_exact(&mut head)
        .map_err(|_| bad("is no stored mapping, or cut short"))?;
    if head[..8] != *MAGIC {
        return Err(bad("is no stored mapping").into());
    }
    let [version, page] = <[u32; 2]>::get(&head[8..]);
    if version != VERSION || page != PAGE as u32 {
        let problem =
            format!("is of version {version} of the format, this program reads {VERSION}");
        return Err(bad(&problem).into());
    }
    let (known, own) = (u64::get(&head[40..]), checksum(&head[..40]));
    if known != own {
        return Err(bad("is damaged in its first bytes").into());
    }
    let number = |at: usize| u64::get(&head[at..]);
    let (body_end, length, sum) = (number(16), number(24), number(32));
    let size = file.metadata().map_err(io)?.len();
    if body_end.checked_add(length) != Some(size) {
        let wanted = body_end.saturating_add(length);
        let why = match size < wanted {
            true => "it is cut short",
            false => "something was written behind its end",
        };
        let problem = format!("has {size} bytes where there should be {wanted}: {why}");
        return Err(bad(&problem).into());
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.seek(SeekFrom::Start(body_end)).map_err(io)?;
    file.read_exact(&mut bytes).map_err(io)?;
    if checksum(&bytes) != sum {
        return Err(bad("is damaged at its end").into());
    }
    let (tail, checksums) = parse(&bytes).ok_or_else(|| bad("has no description at its end"))?;
    Ok(Ends {
        file,
        tail,
        checksums,
        body_end,
    })
}

/// What the prefixes of an index stand for.
pub(crate) fn iris(path: &Path) -> Result<BTreeMap<String, String>> {
    Ok(ends(path)?.tail.iris)
}

/// Opens an index. It is held in memory if half of the pool is enough for that.
pub(crate) fn open(path: &Path, pool: &Arc<dyn MemoryPool>) -> Result<Index> {
    let name = path.display().to_string();
    let Ends {
        file,
        tail,
        checksums,
        body_end,
    } = ends(path)?;
    let charge = Arc::new(Charge::new("a mapping", pool, SHARE));
    let pages = Arc::new(Pages::new(
        Paged::Stored {
            file,
            path: name.clone(),
            checksums,
        },
        body_end,
        pool,
    )?);
    let mut classes: Vec<[u32; 4]> = Vec::new();
    read(&pages, tail.classes, &mut classes)?;
    let vocabulary = Vocabulary {
        prefixes: tail.prefixes.into_iter().map(Prefix::new).collect(),
        predicates: Vocabulary::with_predicates(tail.predicates),
        sources: tail.sources,
        classes: classes.into_iter().map(Class::from_parts).collect(),
    };
    let whole = usize::try_from(body_end).unwrap_or(usize::MAX);
    let held = charge.try_grow(whole.saturating_add(whole / 8));
    let pages = (&pages, held);
    let arrays = Arrays {
        bits: tail.bits,
        keys: section(pages, &tail.keys)?,
        bases: tail.bases,
        texts: section(pages, &tail.texts)?,
        text: section(pages, &tail.text)?,
        shift: tail.shift,
        offsets: section(pages, &tail.offsets)?,
        entries: section(pages, &tail.entries)?,
    };
    let kept = (!held).then(|| Arc::clone(pages.0));
    Index::new(vocabulary, arrays, tail.counts, kept, charge)
}

fn parse(bytes: &[u8]) -> Option<(Tail, Vec<u64>)> {
    let (length, rest) = bytes.split_at_checked(8)?;
    let (json, rest) = rest.split_at_checked(usize::try_from(u64::get(length)).ok()?)?;
    let mut checksums = Vec::new();
    get_all(rest, &mut checksums);
    Some((serde_json::from_slice(json).ok()?, checksums))
}

fn section<R: Record>(
    (pages, held): (&Arc<Pages>, bool),
    places: &[(u64, usize)],
) -> Result<Section<R>> {
    let segment = |&(at, n): &(u64, usize)| {
        if !held {
            return Ok(Segment::File(at, n));
        }
        let mut records = Vec::with_capacity(n);
        read(pages, (at, n), &mut records)?;
        Ok(Segment::Memory(records))
    };
    let segments = places.iter().map(segment).collect::<Result<_>>()?;
    Ok(Section::new(segments, (!held).then(|| Arc::clone(pages))))
}

fn read<R: Record>(pages: &Pages, (at, n): (u64, usize), records: &mut Vec<R>) -> Result<()> {
    let mut bytes = Vec::new();
    for start in (0..n).step_by(PIECE) {
        bytes.resize(PIECE.min(n - start) * R::BYTES, 0);
        pages.read(at + (start * R::BYTES) as u64, &mut bytes)?;
        get_all(&bytes, records);
    }
    Ok(())
}
