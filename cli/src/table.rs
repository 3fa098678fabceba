//! A table of text, its columns as wide as they need to be.

use std::io::{self, Write};

use crate::output::line;

/// Rows under a heading.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Table {
        Table { rows: vec![columns.iter().map(|name| (*name).to_owned()).collect()] }
    }

    /// Adds a row; an empty cell shows as a dash.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.cells(&cells);
    }

    /// Adds a row of so many cells as there are.
    pub fn cells(&mut self, cells: &[&str]) {
        let cell = |cell: &str| if cell.is_empty() { "-".to_owned() } else { line(cell) };
        self.rows.push(cells.iter().copied().map(cell).collect());
    }

    /// Prints it.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width_of = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, most) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(most - width(cell) + 2));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// How many columns of a terminal a text takes, Chinese and its neighbours counting double.
fn width(text: &str) -> usize {
    let wide = |c| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_under_chinese_too() {
        let mut table = Table::new(&["NAME", "B", "C"]);
        table.row(["鸿雁信", "x", ""]);
        table.row(["a", "long", "\u{1b}"]);
        let mut out = Vec::new();
        table.write(&mut out).expect("written");
        let expected = "NAME    B     C\n鸿雁信  x     -\na       long  \\u{1b}\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
