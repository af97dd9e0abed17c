//! The figures as a table in Markdown, as the README has it.

/// One figure.
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    value: f64,
    /// What is held against the limit, where that is not the figure itself.
    judged: f64,
    limit: Option<f64>,
    note: String,
}

impl Row {
    pub(crate) fn new(name: &str, unit: &'static str, value: f64, limit: Option<f64>) -> Row {
        Row {
            name: name.to_owned(),
            unit,
            value,
            judged: value,
            limit,
            note: String::new(),
        }
    }

    pub(crate) fn with_note(self, note: String) -> Row {
        Row { note, ..self }
    }

    pub(crate) fn judged_by(self, judged: f64) -> Row {
        Row { judged, ..self }
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether the limit is reached or passed.
    pub(crate) fn misses(&self) -> bool {
        self.limit.is_some_and(|limit| self.judged >= limit)
    }
}

/// The table, with a line's end at the end.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut lines = vec![["", "measured", "limit", ""].map(str::to_owned)];
    for row in rows {
        let figure = |value: f64| match row.unit {
            "ms CPU" => format!("{value:.2} {}", row.unit),
            unit => format!("{value:.0} {unit}"),
        };
        let verdict = if row.misses() { "MISSED " } else { "" };
        let limit = row.limit.map(|limit| format!("{verdict}{}", figure(limit)));
        lines.push([
            row.name.clone(),
            figure(row.value),
            limit.unwrap_or_default(),
            row.note.clone(),
        ]);
    }
    let widths: [usize; 4] = std::array::from_fn(|column| {
        lines
            .iter()
            .filter_map(|l| l.get(column))
            .map(String::len)
            .max()
            .unwrap_or(0)
    });
    lines.insert(1, widths.map(|width| "-".repeat(width)));
    let line = |cells: &[String; 4]| {
        let cells = cells.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    lines.iter().map(line).collect()
}

/// The middle of the values, which are put in order.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
