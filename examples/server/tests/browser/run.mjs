// One flow through the pages of a running server: node run.mjs <base> <flow>
//
// At the width of a phone and at that of a desk, unless the flow sees to widths itself.
import { launch } from './world.mjs';

const [base, name] = process.argv.slice(2);
const { default: flow, widths = [375, 1280] } = await import(`./flows/${name}.mjs`);
const browser = await launch();
try {
  for (const width of widths) {
    const world = browser.world(base, width);
    try {
      await flow(world);
      await world.assertClean();
    } catch (error) {
      console.error(`${name} at ${width} px: ${error.stack}\n${await world.said()}`);
      process.exitCode = 1;
    } finally {
      await world.close();
    }
  }
} finally {
  await browser.close();
}
