// One flow through the pages of a running server, at the width of a phone and at that of a desk:
// node run.mjs <base> <flow>
import { flows } from './flows.mjs';
import { launch } from './world.mjs';

const [base, name] = process.argv.slice(2);
const browser = await launch();
try {
  for (const width of [375, 1280]) {
    const world = browser.world(base, width);
    try {
      await flows[name](world);
      world.assertClean();
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
