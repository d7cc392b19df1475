//! The picture of the curves.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::cases::Point;
use super::cost::Spread;

const SIZE: (u32, u32) = (960, 400);
const MARGIN: u32 = 12;
const LEFT: u32 = 52;
const BELOW: u32 = 40;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(area: &Area, title: &str, what: &str, points: &[Point]) -> Result<(), Box<dyn Error>> {
    let walls = |ours: bool| {
        let of = move |point: &Point| {
            let costs = if ours { &point.costs.ours } else { &point.costs.original };
            (point.size as f64, Spread::of(costs.iter().map(|cost| cost.wall)).median)
        };
        points.iter().map(of).collect::<Vec<_>>()
    };
    let curves = [("original", RED.mix(0.8), walls(false)), ("kbuild-rs", BLUE.mix(0.9), walls(true))];
    let all = || curves.iter().flat_map(|(.., curve)| curve.iter().copied());
    let span = |values: Vec<f64>| {
        let spread = Spread::of(values);
        spread.least * 0.8..spread.most * 1.25
    };
    let (x, y) = (span(all().map(|point| point.0).collect()), span(all().map(|point| point.1).collect()));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(MARGIN)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(what)
        .y_desc("seconds")
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.2}"))
        .y_labels(4)
        .draw()?;
    for (name, colour, curve) in &curves {
        let (colour, style) = (*colour, colour.stroke_width(2));
        chart
            .draw_series(LineSeries::new(curve.iter().copied(), style).point_size(3))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}

/// Both curves side by side, as SVG; both axes are logarithmic.
///
/// # Errors
/// If they can't be drawn.
pub fn svg(modules: &[Point], sections: &[Point]) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 / 2);
        draw(&left, "Modules of Debian's 6.1 amd64", "modules", modules)?;
        draw(&right, "One object, 20 relocations a section", "sections", sections)?;
        root.present()?;
    }
    Ok(text)
}
