/** The parts of the chart library that are drawn with. Import it when the first chart is drawn, not before: it is large. */

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, BarChart, GridComponent, TooltipComponent, LegendComponent, SVGRenderer]);

export function begin(box: HTMLElement): ECharts {
  return init(box, undefined, { renderer: "svg" });
}
