//! Tests of line charts.

use super::*;
use crate::Theme;
use crate::mark::Mark;

fn chart<'a>(series: &'a [Series<'a>]) -> LineChart<'a> {
    LineChart { title: "Test", x: Axis::new("x"), y: Axis::new("y"), series, ..LineChart::default() }
}

fn texts(picture: &Picture) -> Vec<&str> {
    let texts = picture.marks.iter().filter_map(|mark| match mark {
        Mark::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn lines(picture: &Picture, wanted: Ink) -> Vec<&[(f32, f32)]> {
    let lines = picture.marks.iter().filter_map(|mark| match mark {
        Mark::Line { points, ink, .. } if *ink == wanted => Some(points.as_slice()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn the_ends_of_the_axes_are_the_ends_of_the_panel() {
    let points = [(2.0, 0.0), (4.0, 1.0)];
    let series = [Series::new("", Style::Line, &points)];
    let limited = LineChart { y: Axis::new("y").from_to(0.0, 1.0), ..chart(&series) };
    let picture = line_chart(&limited);
    assert_eq!(lines(&picture, Ink::Series(0)), [[(LEFT, HEADER + 300.0), (WIDTH - MARGIN, HEADER)]]);
}

#[test]
fn a_logarithmic_axis_gives_decades_equal_room_and_zero_none() {
    let points = [(0.0, 5.0), (1.0, 0.0), (10.0, 0.0), (100.0, 0.0)];
    let series = [Series::new("", Style::Line, &points)];
    let picture = line_chart(&LineChart { x: Axis::new("x").logarithmic(), ..chart(&series) });
    let drawn = lines(&picture, Ink::Series(0));
    let x: Vec<f32> = drawn.iter().flat_map(|line| line.iter().map(|p| p.0)).collect();
    assert_eq!(x.len(), 3, "the point at zero has no place");
    assert!((x[1] - (x[0] + x[2]) / 2.0).abs() < 1e-3, "{x:?}");
}

#[test]
fn a_short_legend_stands_beside_the_title_and_a_long_one_at_the_right() {
    let points = [(0.0, 0.0), (1.0, 1.0)];
    let names: Vec<String> = (0..10).map(|i| format!("class {i}")).collect();
    let series: Vec<_> = names.iter().map(|name| Series::new(name, Style::Line, &points)).collect();
    for n in [2, 10] {
        let picture = line_chart(&chart(&series[..n]));
        assert_eq!(texts(&picture).iter().filter(|t| t.starts_with("class")).count(), n);
        let names = picture.marks.iter().filter_map(|mark| match mark {
            Mark::Text(text) if text.text.starts_with("class") => Some(text),
            _ => None,
        });
        let beside_title = names.clone().filter(|name| name.y < HEADER / 2.0 + 5.0).count();
        assert_eq!(beside_title, if n == 2 { 2 } else { 0 });
        assert!(names.clone().all(|name| name.x + 50.0 < WIDTH), "{n}");
    }
}

#[test]
fn the_seventh_series_has_the_first_colour_dashed_and_a_reference_takes_none() {
    let points = [(0.0, 0.0), (1.0, 1.0)];
    let mut series = vec![Series::new("a", Style::Line, &points); 7];
    series.insert(3, Series::new("chance", Style::Reference, &points));
    let entries = legend(&series);
    assert_eq!((entries[3].ink, entries[3].dashed), (Ink::Muted, true));
    assert_eq!((entries[4].ink, entries[4].dashed), (Ink::Series(3), false));
    assert_eq!((entries[7].ink, entries[7].dashed), (Ink::Series(6), true));
    assert_eq!(Theme::Light.colour(Ink::Series(6)), Theme::Light.colour(Ink::First));
}

#[test]
fn an_arrow_ends_in_a_head_whose_tip_is_the_second_point() {
    let points = [(0.0, 0.0), (3.0, 1.0)];
    let series = [Series::new("a", Style::Arrows, &points)];
    let (x, y) = (Axis::new("x").from_to(0.0, 4.0), Axis::new("y").from_to(0.0, 4.0));
    let picture = line_chart(&LineChart { x, y, square: true, ..chart(&series) });
    let heads: Vec<_> = picture
        .marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Area { points, .. } => Some(points.as_slice()),
            _ => None,
        })
        .collect();
    let tip = (LEFT + 0.75 * SIDE, HEADER + 0.75 * SIDE);
    assert_eq!(heads.len(), 1);
    assert!((heads[0][0].0 - tip.0).abs() < 1e-3 && (heads[0][0].1 - tip.1).abs() < 1e-3, "{heads:?}");
    let still = [(1.0, 1.0), (1.0, 1.0), (f64::NAN, 0.0)];
    let series = [Series::new("", Style::Arrows, &still)];
    let none = line_chart(&chart(&series));
    assert!(!none.marks.iter().any(|mark| matches!(mark, Mark::Area { .. })), "no length, no arrow");
}

#[test]
fn few_dots_are_large_and_a_dot_in_the_legend_too() {
    let points = [(0.5, 0.5)];
    let series = [Series::new("here", Style::Dots, &points)];
    let picture = line_chart(&chart(&series));
    let radii: Vec<f32> = picture
        .marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Dot { radius, fill: Ink::Series(0), .. } => Some(*radius),
            _ => None,
        })
        .collect();
    assert_eq!(radii, [5.0, 5.0]);
}

#[test]
fn bars_stand_on_zero() {
    let points = [(0.5, 2.0), (1.5, -1.0)];
    let series = [Series::new("", Style::Bars(1.0), &points)];
    let picture = line_chart(&chart(&series));
    let bars = picture.marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    let bars = bars.collect::<Vec<_>>();
    assert_eq!(bars.len(), 2);
    assert!((bars[0].bottom() - bars[1].y).abs() < 1e-3, "{bars:?}");
    assert!((bars[0].height - 2.0 * bars[1].height).abs() < 1e-3, "{bars:?}");
}

#[test]
fn empty_series_and_non_finite_values_are_drawn_without_panic() {
    let hopeless = [(f64::NAN, 1.0), (0.0, f64::INFINITY), (1e300, -1e300), (-1.0, 0.0)];
    let styles = [
        Style::Line,
        Style::LineAndDots,
        Style::Steps,
        Style::Dots,
        Style::Stems,
        Style::Bars(0.0),
        Style::Bars(f64::NAN),
        Style::Reference,
    ];
    for style in styles {
        for points in [&hopeless[..], &hopeless[..2], &[]] {
            let series = [Series::new("x", style, points)];
            for axis in [Axis::new("a"), Axis::new("a").logarithmic(), Axis::new("a").from_to(1.0, 0.0)] {
                for square in [true, false] {
                    let chart = LineChart { x: axis, y: axis, square, ..chart(&series) };
                    let _ = line_chart(&chart).to_svg(Theme::Dark);
                }
            }
        }
    }
    assert!(texts(&line_chart(&chart(&[]))).contains(&"nothing to draw"));
}
