//! The summary on the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, TableComponent, presets::UTF8_HORIZONTAL_ONLY};

use super::tables::{self, Table};
use crate::record::Record;

/// Widest line of the summary.
const WIDTH: u16 = 110;

/// A run in words and tables.
pub fn summary(record: &Record) -> String {
    text(&super::page::story(record), &all(record))
}

/// The tables that every run has.
pub fn all(record: &Record) -> Vec<Table> {
    vec![
        tables::results(record),
        tables::flows(record),
        tables::refusals(record),
        tables::compute(record),
        tables::ledgers(record),
        tables::checks(record),
    ]
}

/// Words and tables.
pub fn text(story: &[String], shown: &[Table]) -> String {
    let mut text = story.join("\n");
    for table in shown {
        text.push_str(&format!("\n\n{}\n{}\n{}", table.title.to_uppercase(), table.note, grid(table)));
    }
    text
}

fn grid(table: &Table) -> Grid {
    let mut grid = Grid::new();
    grid.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    grid.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    grid.set_header(&table.head);
    grid.add_rows(table.rows.iter().chain(&table.sum));
    for column in grid.column_iter_mut().skip(table.names) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    grid
}
