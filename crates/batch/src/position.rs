use recipe::Position;

/// A text with the starts of its lines, so that any offset has a position at little cost.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Lines end with `\n`, `\r\n` or `\r`, as Python reads text files.
    pub(crate) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The lines in order, with their numbers from 1 and without their ends.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &'t str)> {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        self.starts.iter().zip(ends).zip(1..).map(|((start, end), number)| {
            (number, self.text.get(*start..end).unwrap_or_default().trim_end_matches(['\r', '\n']))
        })
    }

    /// The line and column of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line: line as u64, column: before.chars().count() as u64 + 1 }
    }
}
