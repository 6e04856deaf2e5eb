/** The chart library, fetched when the first chart is drawn, and only the parts of it that are drawn with. */

import type { ECharts } from "echarts/core";

export async function load(): Promise<(box: HTMLElement) => ECharts> {
  const [core, charts, components, renderers] = await Promise.all([
    import("echarts/core"),
    import("echarts/charts"),
    import("echarts/components"),
    import("echarts/renderers"),
  ]);
  core.use([
    charts.LineChart, charts.BarChart, components.GridComponent, components.TooltipComponent,
    components.LegendComponent, renderers.SVGRenderer,
  ]); // prettier-ignore
  return (box) => core.init(box, undefined, { renderer: "svg" });
}
