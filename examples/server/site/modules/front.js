/** The front page has nothing of its own: its head and its two halves follow the session. */

import './session.js';
