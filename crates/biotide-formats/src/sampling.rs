//! A look at files before they are read: bounded, but for `infer = full`.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Compression};
use biotide_text::charset::{Charset, detect};
use biotide_text::delimited::RecordEnd;
use biotide_text::sample::Sample;
use datafusion_common::Result;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::compress::Codec;
use crate::files::File;
use crate::spec::{Companion, FormatSpec, SampledFile, TextLayout};
use crate::text::{Ahead, ChunkSource, peek};

/// Looks at the start of a file, and at places further on; at `only` so many bytes of its start where
/// it is one of many.
pub(crate) async fn sample(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    name: String,
    spec: &dyn FormatSpec,
    options: &BiotideOptions,
    only: Option<usize>,
) -> Result<SampledFile> {
    let source = ChunkSource::open(Arc::clone(store), meta, name.clone()).await?;
    let source = Arc::new(source);
    let size = source.size();
    let mut wanted = only.unwrap_or(Sample::HEAD_BYTES);
    let mut head = Vec::new();
    source.read(0, wanted as u64, &mut head).await?;
    let option = options.compression.unwrap_or(Compression::Auto);
    let codec = Codec::of(&name, option, &head)?;
    let blocks = source.is_of_blocks(codec, &head).await?;
    let given = options.encoding.and_then(|encoding| encoding.0);
    let mut encoding = match given {
        // UTF-16 of either kind: the mark knows better.
        Some(encoding) if [UTF_16LE, UTF_16BE].contains(&encoding) => match codec {
            Codec::None => Encoding::for_bom(&head).map_or(encoding, |(marked, _)| marked),
            _ => encoding,
        },
        Some(encoding) => encoding,
        None if codec == Codec::None => detect(&head),
        // (Of an archive not its head, but its directory tells.)
        None if codec == Codec::Zip => {
            let first = Ahead::start(Arc::clone(&source), codec, None, Arc::default())
                .next()
                .await?;
            detect(&first.unwrap_or_default())
        }
        None => detect(&peek(codec, &head)),
    };
    let transcoded = Charset::of(encoding).is_none().then_some(encoding);
    let mut sample = Sample::default();
    let anywhere = codec == Codec::None && transcoded.is_none();
    if anywhere {
        sample.complete = head.len() as u64 == size;
        sample.head = head;
    }
    let mut damaged = false;
    let mut ahead =
        (!anywhere).then(|| Ahead::start(Arc::clone(&source), codec, transcoded, Arc::default()));
    loop {
        while sample.head.len() < wanted && !sample.complete && !damaged {
            match &mut ahead {
                None => {
                    let at = sample.head.len() as u64;
                    let end = at + wanted as u64;
                    source.read(at, end, &mut sample.head).await?;
                    sample.complete = sample.head.len() as u64 == size;
                }
                Some(ahead) => match ahead.next().await {
                    Ok(Some(mut block)) => sample.head.append(&mut block),
                    Ok(None) => sample.complete = true,
                    // Damage further on is for the one who reads so far.
                    Err(_) if !sample.head.is_empty() => damaged = true,
                    Err(error) => return Err(error),
                },
            }
        }
        // A header with thousands of columns is longer than that.
        if sample.complete || spec.is_enough(&sample.head, options)? || damaged {
            break;
        }
        wanted = sample.head.len().saturating_mul(2);
    }
    if anywhere && only.is_none() && !sample.complete {
        for at in Sample::piece_offsets(size) {
            let mut piece = Vec::new();
            source
                .read(at, at + Sample::PIECE_BYTES as u64, &mut piece)
                .await?;
            sample.pieces.push(piece);
        }
        // The first character beyond ASCII may stand further on.
        let shows = sample.pieces.iter().find(|piece| !piece.is_ascii());
        if let Some(piece) = shows.filter(|_| given.is_none() && sample.head.is_ascii()) {
            let cut = piece
                .iter()
                .take_while(|&&byte| byte & 0xC0 == 0x80)
                .count();
            let found = detect(&piece[cut.min(3)..]);
            if Charset::of(found).is_some() {
                encoding = found;
            }
        }
    }
    if let Some(lines) = options.skip_footer.filter(|&lines| lines > 0) {
        match sample.pieces.last_mut() {
            _ if sample.complete => cut_footer(&mut sample.head, lines),
            Some(last) => cut_footer(last, lines),
            None => {}
        }
    }
    let companion = companion(store, meta, &name, spec, &sample).await?;
    Ok(SampledFile {
        name,
        size,
        codec,
        blocks,
        encoding,
        sample,
        companion,
    })
}

/// The most bytes of a companion.
const COMPANION_BYTES: u64 = 16 << 20;

/// The first file beside this one that says more of it.
async fn companion(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    name: &str,
    spec: &dyn FormatSpec,
    sample: &Sample,
) -> Result<Option<Companion>> {
    let file = meta.location.filename().unwrap_or_default();
    for path in spec.companions(meta.location.as_ref(), &sample.head) {
        let path = Path::parse(path).map_err(object_store::Error::from)?;
        let found = match store.get(&path).await {
            Err(object_store::Error::NotFound { .. }) => continue,
            found => found?,
        };
        // As messages call the file itself.
        let folder = name.strip_suffix(file);
        let name = match (folder, path.filename()) {
            (Some(folder), Some(file)) => format!("{folder}{file}"),
            _ => path.to_string(),
        };
        if found.meta.size > COMPANION_BYTES {
            let problem =
                format!("it is larger than {COMPANION_BYTES} bytes, too large for metadata");
            return Err(BiotideError::file(name, problem).into());
        }
        let text = found.bytes().await?.to_vec();
        return Ok(Some(Companion { name, text }));
    }
    Ok(None)
}

/// Takes so many lines off the end.
fn cut_footer(bytes: &mut Vec<u8>, lines: usize) {
    let newline = RecordEnd::of(bytes).byte();
    let open = bytes.strip_suffix(&[newline]).unwrap_or(bytes);
    // The first line is its header's, if nothing else is left.
    let first = memchr::memchr(newline, open);
    let end = memchr::memrchr_iter(newline, open).nth(lines - 1);
    bytes.truncate(end.or(first).map_or(bytes.len(), |end| end + 1));
}

/// Bytes without the end of a record, beyond which they are let go.
const LONGEST: usize = 256 << 20;

/// Reads every file whole to find types that hold all values.
pub(crate) async fn infer_full(
    store: &Arc<dyn ObjectStore>,
    files: &[File],
    sampled: &[SampledFile],
    layout: Arc<dyn TextLayout>,
    skip_footer: Option<usize>,
) -> Result<Arc<dyn TextLayout>> {
    let mut widening = layout.widening();
    for (file, sampled) in files.iter().zip(sampled) {
        let mut source =
            ChunkSource::open(Arc::clone(store), &file.meta, sampled.name.clone()).await?;
        let encoding = layout.transcoded_from();
        if let Some(lines) = skip_footer.filter(|&lines| lines > 0 && sampled.codec == Codec::None)
        {
            let newline = RecordEnd::of(&sampled.sample.head).byte();
            source.cut_lines(lines, newline, 0).await?;
        }
        let mut ahead = Ahead::start(Arc::new(source), sampled.codec, encoding, Arc::default());
        let (mut rest, mut variant, mut eof) = (Vec::new(), None, false);
        // Bytes of its table that are still to come.
        let mut left = usize::MAX;
        while !eof {
            match ahead.next().await? {
                Some(mut block) => rest.append(&mut block),
                None => eof = true,
            }
            let variant = match variant {
                Some(variant) => variant,
                None => {
                    let Some(start) = layout.start(&sampled.name, &rest, eof)? else {
                        continue;
                    };
                    let offset = usize::try_from(start.offset).unwrap_or(usize::MAX);
                    rest.drain(..offset.min(rest.len()));
                    if let Some(end) = start.end {
                        left = usize::try_from(end - start.offset).unwrap_or(usize::MAX);
                    }
                    *variant.insert(start.variant)
                }
            };
            if rest.len() >= left {
                rest.truncate(left);
                eof = true;
            }
            let done = widening.observe(variant, &rest, eof).min(rest.len());
            rest.drain(..done);
            left = left.saturating_sub(done);
            if rest.len() > LONGEST {
                // No record of the table is that long.
                rest.clear();
            }
        }
    }
    Ok(widening.layout()?)
}
