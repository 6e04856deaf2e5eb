/** Element Plus's dialogs and their styles, for the pages that ask something: no other page loads any of them. */

import "element-plus/theme-chalk/el-overlay.css";
import "element-plus/theme-chalk/el-dialog.css";
import "element-plus/theme-chalk/el-input.css";
import "element-plus/theme-chalk/el-icon.css";
import "element-plus/theme-chalk/el-badge.css";
import "element-plus/theme-chalk/el-message.css";
import "element-plus/theme-chalk/el-message-box.css";

export { ElDialog, ElMessage, ElMessageBox } from "element-plus";
