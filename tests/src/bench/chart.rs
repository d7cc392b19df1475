//! The picture of what was measured.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::cases::{Point, Row};
use super::cost::Spread;

const WIDTH: u32 = 960;
/// How high a case's bar and the curves are, in pixels, with what stands around them.
const BAR: u32 = 26;
const CURVES: u32 = 340;
const MARGIN: u32 = 12;
/// How wide the names of cases are.
const NAMES: u32 = 380;

/// Colours, and what they are where the page is dark.
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const LINES: RGBColor = RGBColor(0xd1, 0xd9, 0xe0);
const ORIGINAL: RGBColor = RGBColor(0xbc, 0x4c, 0x00);
const OURS: RGBColor = RGBColor(0x09, 0x69, 0xda);
const DARK: [(RGBColor, &str); 4] = [(INK, "#f0f6fc"), (LINES, "#3d444d"), (ORIGINAL, "#ffa657"), (OURS, "#58a6ff")];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// What follows the reader's own choice of colours.
fn style() -> String {
    let rule = |&(colour, dark): &(RGBColor, &str)| {
        let light = hex(colour);
        format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
    };
    let rules: String = DARK.iter().map(rule).collect();
    format!("<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n")
}

fn words(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).color(&INK)
}

/// How many times as fast each case is, as a bar, with the least and the most.
fn bars(area: &Area, rows: &[Row]) -> Drawn {
    area.draw_text(
        "How many times as fast as the original, which ends at the line",
        &words(18),
        (MARGIN as i32, MARGIN as i32),
    )?;
    let ratios: Vec<_> = rows.iter().map(|row| row.costs.ratio()).collect();
    let longest = ratios.iter().map(|ratio| ratio.most).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .margin_top(44)
        .margin_left(NAMES)
        .margin_right(56)
        .x_label_area_size(28)
        .build_cartesian_2d(0.0..longest * 1.02, rows.len() as f64..0.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_y_mesh().bold_line_style(LINES).light_line_style(TRANSPARENT).axis_style(LINES);
    mesh.label_style(words(13)).x_label_formatter(&|ratio| format!("{ratio:.0}")).draw()?;
    for (number, (row, ratio)) in rows.iter().zip(&ratios).enumerate() {
        let middle = number as f64 + 0.5;
        let bar = Rectangle::new([(0.0, middle - 0.3), (ratio.median, middle + 0.3)], OURS.filled());
        let whisker = PathElement::new([(ratio.least, middle), (ratio.most, middle)], INK.stroke_width(1));
        chart.draw_series([bar])?;
        chart.draw_series([whisker])?;
        let (_, y) = chart.backend_coord(&(0.0, middle));
        let y = y - area.get_pixel_range().1.start;
        let left = words(13).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw_text(&row.what.replace('`', ""), &left, (NAMES as i32 - 8, y))?;
        let right = words(13).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw_text(&format!("{:.1}", ratio.median), &right, (WIDTH as i32 - 12, y))?;
    }
    // Where the original would end.
    chart.draw_series([PathElement::new([(1.0, 0.0), (1.0, rows.len() as f64)], ORIGINAL.stroke_width(2))])?;
    Ok(())
}

/// Seconds over sizes; both axes are logarithmic.
fn curves(area: &Area, title: &str, what: &str, points: &[Point]) -> Drawn {
    let walls = |ours: bool| {
        let of = move |point: &Point| {
            let costs = if ours { &point.costs.ours } else { &point.costs.original };
            (point.size as f64, Spread::of(costs.iter().map(|cost| cost.wall)).median)
        };
        points.iter().map(of).collect::<Vec<_>>()
    };
    let curves = [("original", ORIGINAL, walls(false)), ("kbuild-rs", OURS, walls(true))];
    let all = || curves.iter().flat_map(|(.., curve)| curve.iter().copied());
    let span = |values: Vec<f64>| {
        let spread = Spread::of(values);
        spread.least * 0.8..spread.most * 1.15
    };
    let (x, y) = (span(all().map(|point| point.0).collect()), span(all().map(|point| point.1).collect()));
    area.draw_text(title, &words(18), (MARGIN as i32, MARGIN as i32))?;
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .margin_top(44)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(LINES).light_line_style(TRANSPARENT).axis_style(LINES);
    mesh.label_style(words(13)).axis_desc_style(words(13)).x_desc(what).y_desc("seconds");
    mesh.x_label_formatter(&|value| format!("{value:.0}")).y_label_formatter(&|value| format!("{value:.2}"));
    mesh.y_labels(4).draw()?;
    for (name, colour, curve) in &curves {
        let series = LineSeries::new(curve.iter().copied(), colour.stroke_width(2)).point_size(3);
        chart.draw_series(series)?;
        // The name stands at the curve's end.
        let Some(&end) = curve.last() else { continue };
        let (left, top) = (area.get_pixel_range().0.start, area.get_pixel_range().1.start);
        let (x, y) = chart.backend_coord(&end);
        let style = TextStyle::from(("sans-serif", 14)).color(colour).pos(Pos::new(HPos::Right, VPos::Bottom));
        area.draw_text(name, &style, (x - left - 8, y - top - 8))?;
    }
    Ok(())
}

/// The ratios of all cases, and below them the curves, as SVG.
///
/// # Errors
/// If it can't be drawn.
pub fn svg(rows: &[Row], modules: &[Point], sections: &[Point]) -> Result<String, Box<dyn Error>> {
    let above = rows.len() as u32 * BAR + 96;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, above + CURVES)).into_drawing_area();
        let (top, bottom) = root.split_vertically(above);
        bars(&top, rows)?;
        let (left, right) = bottom.split_horizontally(WIDTH / 2);
        curves(&left, "Seconds for modules of Debian's 6.1", "modules", modules)?;
        curves(&right, "Seconds for one object, by sections", "sections", sections)?;
        root.present()?;
    }
    let start = text.find('\n').map_or(text.len(), |end| end + 1);
    text.insert_str(start, &style());
    Ok(text)
}
