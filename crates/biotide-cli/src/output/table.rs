//! Tables for people. Rows come in blocks, so that a long result neither waits for its end nor piles up;
//! a block that needs wider columns than the ones before it gets a header of its own.

use std::io::{BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use console::{Term, measure_text_width, truncate_str};

use super::ResultWriter;
use super::stdout::Stdout;

/// Writes blocks of rows.
pub(crate) struct TableWriter {
    out: BufWriter<Stdout>,
    layout: Layout,
    block: Block,
    shown: Instant,
}

/// Rows that wait to be shown.
#[derive(Debug, Default)]
struct Block {
    /// Row after row.
    cells: Vec<String>,
    bytes: usize,
}

impl Block {
    const ROWS: usize = 500;
    const BYTES: usize = 1 << 20;

    fn is_full(&self, columns: usize) -> bool {
        self.cells.len() >= Self::ROWS * columns.max(1) || self.bytes >= Self::BYTES
    }
}

impl TableWriter {
    /// How long rows wait for others.
    const PATIENCE: Duration = Duration::from_millis(300);

    pub(crate) fn new(out: BufWriter<Stdout>, schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|field| Column {
            name: clean(field.name()),
            number: field.data_type().is_numeric(),
            width: 0,
        });
        let stdout = Term::stdout();
        let screen = std::io::stdout()
            .is_terminal()
            .then(|| usize::from(stdout.size().1));
        Self {
            out,
            layout: Layout {
                columns: columns.collect(),
                screen,
            },
            block: Block::default(),
            shown: Instant::now(),
        }
    }

    fn show(&mut self) -> anyhow::Result<()> {
        let block = std::mem::take(&mut self.block);
        self.out
            .write_all(self.layout.render(&block.cells).as_bytes())?;
        self.shown = Instant::now();
        Ok(self.out.flush()?)
    }
}

/// A whole table as text: names of columns, and whether they hold numbers.
pub(crate) fn table(columns: &[(&str, bool)], rows: &[Vec<String>]) -> String {
    let column = |&(name, number): &(&str, bool)| Column {
        name: name.to_owned(),
        number,
        width: 0,
    };
    let terminal = std::io::stdout().is_terminal();
    let mut layout = Layout {
        columns: columns.iter().map(column).collect(),
        screen: terminal.then(|| usize::from(Term::stdout().size().1)),
    };
    let cells = rows.iter().flatten().map(|text| layout.cell(text));
    let cells: Vec<String> = cells.collect();
    layout.render(&cells)
}

impl ResultWriter for TableWriter {
    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|array| ArrayFormatter::try_new(array, &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            for column in &columns {
                let cell = self.layout.cell(&column.value(row).to_string());
                self.block.bytes += cell.len();
                self.block.cells.push(cell);
            }
            if self.block.is_full(columns.len()) {
                self.show()?;
            }
        }
        if !self.block.cells.is_empty() && self.shown.elapsed() > Self::PATIENCE {
            self.show()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.show()
    }
}

#[derive(Debug)]
struct Column {
    name: String,
    number: bool,
    width: usize,
}

/// The columns and how wide they are.
#[derive(Debug)]
struct Layout {
    columns: Vec<Column>,
    /// Characters a line of the terminal holds, if it is one.
    screen: Option<usize>,
}

impl Layout {
    /// No column is squeezed below this.
    const LEAST: usize = 8;

    /// The text of a cell: nothing in it moves the cursor, and on a terminal it fits into a line.
    fn cell(&self, text: &str) -> String {
        match self.screen {
            // Four bytes a character and some: there is no need to look at all of a long text.
            Some(screen) if text.len() > screen * 4 => {
                let end = text.floor_char_boundary(screen * 4);
                truncate_str(&clean(&text[..end]), screen, "…").into_owned()
            }
            Some(screen) => truncate_str(&clean(text), screen, "…").into_owned(),
            None => clean(text),
        }
    }

    /// The lines of a block; with the header, if the columns had to grow.
    fn render(&mut self, cells: &[String]) -> String {
        let grown = self.grow(cells);
        let mut text = String::new();
        if grown {
            let names: Vec<&str> = self
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            self.line(&names, &mut text);
            let rules: Vec<String> = self
                .columns
                .iter()
                .map(|column| "─".repeat(column.width + 2))
                .collect();
            text.push_str(&rules.join("┼"));
            text.push('\n');
        }
        for row in cells.chunks(self.columns.len().max(1)) {
            self.line(row, &mut text);
        }
        text
    }

    /// Makes the columns as wide as they need to be and may be; true if any has changed.
    fn grow(&mut self, cells: &[String]) -> bool {
        let n = self.columns.len().max(1);
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .map(|column| column.width.max(measure_text_width(&column.name)).max(1))
            .collect();
        for row in cells.chunks(n) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        if let Some(screen) = self.screen {
            squeeze(&mut widths, screen.saturating_sub(3 * n - 1), Self::LEAST);
        }
        let mut grown = false;
        for (column, width) in self.columns.iter_mut().zip(widths) {
            grown |= column.width != width;
            column.width = width;
        }
        grown
    }

    fn line(&self, cells: &[impl AsRef<str>], text: &mut String) {
        let last = self.columns.len().saturating_sub(1);
        for (i, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let cell = truncate_str(cell.as_ref(), column.width, "…");
            let pad = column.width.saturating_sub(measure_text_width(&cell));
            text.push_str(if i == 0 { " " } else { "│ " });
            if column.number {
                text.extend(std::iter::repeat_n(' ', pad));
            }
            text.push_str(&cell);
            if i < last {
                if !column.number {
                    text.extend(std::iter::repeat_n(' ', pad));
                }
                text.push(' ');
            }
        }
        text.push('\n');
    }
}

/// Takes from the widest until all fit, or until none is wider than `least`.
fn squeeze(widths: &mut [usize], room: usize, least: usize) {
    loop {
        let total: usize = widths.iter().sum();
        let Some(&widest) = widths.iter().max() else {
            return;
        };
        if total <= room || widest <= least {
            return;
        }
        // Down to the next widest at a time, shared among all that are as wide.
        let next = widths
            .iter()
            .copied()
            .filter(|&w| w < widest)
            .max()
            .unwrap_or(0)
            .max(least);
        let count = widths.iter().filter(|&&w| w == widest).count();
        let step = (total - room).div_ceil(count).min(widest - next).max(1);
        for width in widths.iter_mut().filter(|width| **width == widest) {
            *width = widest - step;
        }
    }
}

/// What would move the cursor or change its colour is shown as a sign.
fn clean(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            '\t' => clean.push_str("\\t"),
            c if c.is_control() => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: &[(&str, bool)], screen: Option<usize>) -> Layout {
        let column = |&(name, number): &(&str, bool)| Column {
            name: name.to_owned(),
            number,
            width: 0,
        };
        Layout {
            columns: columns.iter().map(column).collect(),
            screen,
        }
    }

    fn cells(layout: &Layout, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| layout.cell(text)).collect()
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let mut layout = layout(&[("名前", false), ("n", true), ("x", false)], None);
        let block = cells(&layout, &["蛋白質", "7", "a\tb", "TP53", "1200", "NULL"]);
        let expected = " 名前   │    n │ x\n────────┼──────┼──────\n 蛋白質 │    7 │ a\\tb\n TP53   │ 1200 │ NULL\n";
        assert_eq!(layout.render(&block), expected);
    }

    #[test]
    fn the_header_comes_again_only_if_columns_grow() {
        let mut layout = layout(&[("id", false)], None);
        let block = cells(&layout, &["abc"]);
        assert!(layout.render(&block).contains("id"));
        assert_eq!(layout.render(&cells(&layout, &["ab"])), " ab\n");
        assert!(
            layout
                .render(&cells(&layout, &["abcd"]))
                .starts_with(" id\n──────\n")
        );
        let mut empty = self::layout(&[("id", false)], None);
        assert_eq!(empty.render(&[]), " id\n────\n");
    }

    #[test]
    fn long_text_is_cut_to_the_screen() {
        let mut layout = layout(&[("a", false), ("b", false)], Some(30));
        let long = "蛋".repeat(1000);
        let block = cells(&layout, &[&long, "short"]);
        for line in layout.render(&block).lines() {
            assert!(measure_text_width(line) <= 30, "{line}");
        }
        let mut widths = [50, 10, 40];
        squeeze(&mut widths, 60, 8);
        assert_eq!(widths, [25, 10, 25]);
        let mut widths = [50, 3];
        squeeze(&mut widths, 5, 8);
        assert_eq!(widths, [8, 3]);
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\\r\\n");
    }
}
